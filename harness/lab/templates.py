"""Templates of SLURM's configuration files, with comments on non-obvious settings."""

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
# A job is requeued only after its credential has expired (minimum 5 s, default 120 s).
AuthInfo={auth_info}cred_expire=5
# Bind to the nodes' address, 127.0.0.1, instead of all addresses of the machine.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny

StateSaveLocation={folder.state}
SlurmdSpoolDir={folder.spool}/%n
SlurmctldPidFile={folder.run}/slurmctld.pid
SlurmdPidFile={folder.run}/%n.pid
SlurmctldLogFile={folder.log}/slurmctld.log
SlurmdLogFile={folder.log}/%n.log
MailProg=/bin/true

# No cgroups: they need root and a dedicated machine.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none

SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Use the CPUs and the memory below, regardless of the hardware.
SlurmdParameters=config_overrides
# A node that comes back is used again, even if it was set down manually.
ReturnToService=2
SlurmctldTimeout=30
# A dead slurmd is detected after 15 to 30 s (default: 300).
SlurmdTimeout=15
InactiveLimit=0
# Seconds from SIGTERM to SIGKILL (default: 30).
KillWait=3
MinJobAge=300
MaxArraySize={max_array_size}
MaxJobCount=20000
# Job ids increase from lab to lab, so that an old job is never mistaken for a new one.
FirstJobId={first_job}

# Schedule immediately and every 2 s; otherwise arrays of hundreds of short tasks wait for the next minute.
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=10000,bf_interval=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# A preempted job gets the signal that it requested with --signal, and GraceTime to exit.
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
# With munge this is the path of its socket; AuthInfo above is not used for connections to slurmdbd.
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
# localhost means a unix socket, at the path in MYSQL_UNIX_PORT: the database listens on no port.
StorageHost=localhost
StorageLoc=slurm_acct_db
StorageUser={user}
"""

GRES_CONF = """\
AutoDetect=off
# A device file is required; these are links to /dev/null, counted by their trailing digits.
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
    """Return a slurmstepd script for each node, with a name that identifies the node's processes.

    The kernel names a process after its script, but its executable is the interpreter. SLURM checks the executable:
    unless it is slurmstepd, the accounting of its tasks is not set up, and with it their memory limits.
    """
    text = f"#!{programs.find('slurmstepd') or 'slurmstepd'}\n"
    return {folder.run / stepd_name(folder, node): text for node in lab.node_names}


def links(folder: Folder, lab: Configuration) -> dict[Path, str]:
    """Return the symbolic links of a lab: simulated GPUs."""
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
    """Format a range in SLURM's notation: `7` or `[7-9]`."""
    return f"[{first}-{first + count - 1}]" if count > 1 else str(first)
