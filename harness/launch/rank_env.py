"""Rank and world size of this process, from the variables of torchrun, else SLURM, else a single process."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import HarnessError, SpecError, invalid
from harness.natural import natural

TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
SLURM = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST")
RANK_VARIABLES = frozenset(
    (
        *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "ROLE_NAME"),
        *("WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
        *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_GTIDS"),
        *("SLURM_NTASKS", "SLURM_NPROCS", "SLURM_TASKS_PER_NODE", "SLURM_NTASKS_PER_NODE"),
    )
)
RANK_PREFIXES = ("TORCHELASTIC_", "SLURM_STEP_", "PET_")
"""Also the options of an enclosing torchrun, which it reads from PET_NNODES and so on."""
HIGHEST_PORT = 65535
PORTS = range(12000, 32000)
"""Ports below the ephemeral range. The first rank of a SLURM step listens on one derived from the step."""


@dataclass(frozen=True)
class RankInfo:
    """The rank of a process among those of a run. `init_method` is the rendezvous, None for a single process.

    `attempt` distinguishes the current rendezvous from earlier ones at the same address.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    init_method: str | None = None
    attempt: int = 0


def find_rank(environment: Mapping[str, str] = os.environ) -> RankInfo:
    """Return the rank that the launcher assigned to this process.

    Raises `SpecError` if the variables of a launcher are incomplete, or two launchers contradict each other.
    """
    torchrun = [name for name in TORCHRUN[:3] if environment.get(name)]
    if torchrun:
        return _of_torchrun(environment)
    if _number("SLURM_STEP_NUM_TASKS", environment, 1) > 1:
        return _of_slurm(environment)
    return RankInfo()


def without_rank_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for child processes, without the rank variables of torchrun and SLURM."""
    return {
        name: value
        for name, value in environment.items()
        if name not in RANK_VARIABLES and not name.startswith(RANK_PREFIXES)
    }


def _of_torchrun(environment: Mapping[str, str]) -> RankInfo:
    missing = [name for name in TORCHRUN if not environment.get(name)]
    if missing:
        present = ", ".join(name for name in TORCHRUN if environment.get(name))
        raise SpecError(f"the environment has {present} but not {', '.join(missing)}: unset them, or use torchrun")
    rank, local_rank, world_size = (_number(name, environment) for name in TORCHRUN[:3])
    _check_rank(rank, world_size, "RANK", "WORLD_SIZE")
    _check_port(environment)
    _check_against_slurm(environment, rank, world_size)
    # The restart count is reliable only with a single agent: agents without a lost process do not count.
    restarts = _number("TORCHELASTIC_RESTART_COUNT", environment)
    attempt = restarts if environment.get("GROUP_WORLD_SIZE") == "1" else 0
    return RankInfo(rank, local_rank, world_size, "env://", attempt)


def _check_against_slurm(environment: Mapping[str, str], rank: int, world_size: int) -> None:
    """Raise `SpecError` unless the tasks of a SLURM step are torchrun's agents or ranks."""
    tasks, agents = (_number(name, environment) for name in ("SLURM_STEP_NUM_TASKS", "GROUP_WORLD_SIZE"))
    if tasks <= 1:
        return
    if agents and agents != tasks:
        raise SpecError(
            f"SLURM started {tasks} tasks and torchrun counts {agents} nodes: give torchrun --nnodes {tasks}, "
            "or srun one task per node"
        )
    own = _number("SLURM_PROCID", environment)
    if not agents and (rank, world_size) != (own, tasks):
        raise SpecError(
            f"RANK and WORLD_SIZE say {rank} of {world_size}, SLURM says {own} of {tasks}: "
            "unset RANK and WORLD_SIZE, or start one task"
        )


def _of_slurm(environment: Mapping[str, str]) -> RankInfo:
    missing = [name for name in SLURM if not environment.get(name)]
    if missing:
        raise SpecError(f"the environment of this SLURM step lacks {', '.join(missing)}: start the worker with srun")
    rank, local_rank, world_size = (_number(name, environment) for name in SLURM[:3])
    _check_rank(rank, world_size, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS")
    _check_port(environment)
    port = environment.get("MASTER_PORT") or _port(environment)
    return RankInfo(rank, local_rank, world_size, f"tcp://{_address(environment)}:{port}")


def _port(environment: Mapping[str, str]) -> int:
    """Return a port derived from the step, which changes after a requeue."""
    parts = ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")
    job, step, restarts = (_number(name, environment) for name in parts)
    return PORTS[(job * 31 + step * 7 + restarts) % len(PORTS)]


def _check_rank(rank: int, world_size: int, of_rank: str, of_size: str) -> None:
    """Raise `SpecError` unless a rank is one of the ranks."""
    if rank >= world_size:
        raise SpecError(f"{of_rank} is {rank}, {of_size} is {world_size}: ranks are below {of_size}; unset both")


def _check_port(environment: Mapping[str, str]) -> None:
    """Raise `SpecError` for a rendezvous port that is none."""
    if (port := environment.get("MASTER_PORT")) and not 0 < (natural(port) or 0) <= HIGHEST_PORT:
        raise invalid("environment", "MASTER_PORT", port, f"1 to {HIGHEST_PORT}")


def _number(name: str, environment: Mapping[str, str], default: int = 0) -> int:
    """Return the integer value of a variable.

    Raises `SpecError` if it is not an integer.
    """
    value = environment.get(name) or str(default)
    if (number := natural(value)) is None:
        raise invalid("environment", name, value, "integers of 0 or more")
    return number


def _address(environment: Mapping[str, str]) -> str:
    """Return the address of the step's first node, as used by SLURM itself."""
    if given := environment.get("MASTER_ADDR"):
        return given
    if environment.get("SLURM_STEP_NUM_NODES") == "1":
        return "127.0.0.1"
    first = _scontrol("show", "hostnames", environment["SLURM_STEP_NODELIST"]).split()[0]
    described = re.search(r"\bNodeAddr=(\S+)", _scontrol("show", "node", first))
    return described.group(1) if described else first


def _scontrol(*arguments: str) -> str:
    try:
        return subprocess.run(["scontrol", *arguments], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise HarnessError(f"scontrol {' '.join(arguments)}: {error}; set MASTER_ADDR to the first node") from None
