"""The configuration files of SLURM, with the reason for each setting that is not obvious beside it."""

import os
import secrets
from pathlib import Path

from harness.lab import programs
from harness.lab.configuration import MEMORY_MB, Configuration
from harness.lab.folder import Folder
from harness.lab.members import stepd_name

SLURM_CONF = """\
# Written by `python -m harness.lab start`; a new start overwrites it.
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/{auth}
CredType=cred/{auth}
# A job is requeued only after its credential has expired: 5 s is the least that is accepted, 120 s the default.
AuthInfo={auth_info}cred_expire=5
# Bind to the nodes' address, 127.0.0.1, instead of to every address of the machine.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny

StateSaveLocation={folder.state}
SlurmdSpoolDir={folder.spool}/%n
SlurmctldPidFile={folder.run}/slurmctld.pid
SlurmdPidFile={folder.run}/%n.pid
SlurmctldLogFile={folder.log}/slurmctld.log
SlurmdLogFile={folder.log}/%n.log
MailProg=/bin/true

# No cgroups: they need root and a machine to oneself.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none

SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Believe the CPUs and the memory below, whatever the machine has.
SlurmdParameters=config_overrides
# A node that comes back serves again, also after it was set down by hand.
ReturnToService=2
SlurmctldTimeout=30
# A dead slurmd is noticed after 15 to 30 s (default: 300).
SlurmdTimeout=15
InactiveLimit=0
# Seconds from SIGTERM to SIGKILL (default: 30).
KillWait=3
MinJobAge=300
MaxArraySize={max_array_size}
MaxJobCount=20000
# Job ids go on from lab to lab, so that results of an old job are never taken for those of a new one.
FirstJobId={first_job}

# Schedule at once and every 2 s; arrays of hundreds of short tasks otherwise wait for a minute's tick.
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=10000,bf_interval=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# A job that is to be preempted gets the signal that it asked for with --signal, and GraceTime to leave.
SlurmctldParameters=preempt_send_user_signal
{accounting}{gres}
NodeName=DEFAULT CPUs={cpus} RealMemory={memory}{gpus} State=UNKNOWN
NodeName=node{nodes} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime={grace}
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""

ACCOUNTING = """
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
# With munge this is the path of its socket; AuthInfo above is not asked for connections to slurmdbd.
AccountingStoragePass={socket}
"""

SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder.munge_socket}
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
LogFile={folder.log}/slurmdbd.log
PidFile={folder.run}/slurmdbd.pid
StorageType=accounting_storage/mysql
# localhost means a unix socket, whose path slurmdbd gets as MYSQL_UNIX_PORT: the database listens on no port.
StorageHost=localhost
StorageLoc=slurm_acct_db
StorageUser={user}
"""

GRES_CONF = """\
AutoDetect=off
# A device file is required; these are links to /dev/null, of which the scheduler counts the trailing digits.
NodeName=node{nodes} Name=gpu File={folder.devices}/gpu{numbers}
"""


def files(folder: Folder, lab: Configuration) -> dict[str, str]:
    """Return the configuration files of a lab by name."""
    texts = {"slurm.conf": _slurm_conf(folder, lab)}
    if lab.auth == "munge":
        texts[folder.munge_key.name] = secrets.token_hex(64)
    if lab.accounting:
        texts["slurmdbd.conf"] = SLURMDBD_CONF.format(
            folder=folder, host=lab.host, port=lab.accounting_port, user=lab.user
        )
    if lab.gpus_per_node:
        texts["gres.conf"] = GRES_CONF.format(
            folder=folder, nodes=_range(1, lab.nodes), numbers=_range(0, lab.gpus_per_node)
        )
    return texts


def scripts(folder: Folder, lab: Configuration) -> dict[Path, str]:
    """Return what the slurmd of each node starts as slurmstepd, to know its processes by.

    The kernel calls a process after its script, and gives it the path of the interpreter as its own. SLURM goes by that
    path: under another name than slurmstepd it does not set up the accounting of its tasks, which limits their memory.
    """
    text = f"#!{programs.find('slurmstepd') or 'slurmstepd'}\n"
    return {folder.run / stepd_name(folder, node): text for node in lab.node_names}


def links(folder: Folder, lab: Configuration) -> dict[Path, str]:
    """Return the symbolic links of a lab: pretended GPUs."""
    return {folder.devices / f"gpu{number}": os.devnull for number in range(lab.gpus_per_node)}


def _slurm_conf(folder: Folder, lab: Configuration) -> str:
    accounting = ACCOUNTING.format(port=lab.accounting_port, socket=folder.munge_socket) if lab.accounting else ""
    return SLURM_CONF.format(
        folder=folder,
        host=lab.host,
        user=lab.user,
        controller_port=lab.controller_port,
        auth=lab.auth,
        auth_info=f"socket={folder.munge_socket}," if lab.auth == "munge" else "",
        max_array_size=lab.max_array_size,
        first_job=lab.first_job,
        accounting=accounting,
        gres="GresTypes=gpu\n" if lab.gpus_per_node else "",
        gpus=f" Gres=gpu:{lab.gpus_per_node}" if lab.gpus_per_node else "",
        nodes=_range(1, lab.nodes),
        ports=_range(lab.first_port + 1, lab.nodes),
        cpus=lab.cpus_per_node,
        memory=MEMORY_MB,
        grace=lab.grace_seconds,
    )


def _range(first: int, count: int) -> str:
    """Return numbers as SLURM writes them: `7` or `[7-9]`."""
    return f"[{first}-{first + count - 1}]" if count > 1 else str(first)
