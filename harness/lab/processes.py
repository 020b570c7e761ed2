"""Processes by pid and start time, so that nobody else's are ever signalled; zombies count as dead."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

DAEMONS = frozenset({"munged", "mariadbd", "slurmdbd", "slurmctld", "slurmscriptd", "slurmd", "slurmstepd"})
CLOCK_TOLERANCE_SECONDS = 2.0
POLL_SECONDS = 0.02
KILLING_SECONDS = 10


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; the first process of a container may never bury a dead one."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def find(pid: int, started: float) -> psutil.Process | None:
    """Return the living process that has this pid since `started` (seconds since the epoch), if there is one."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) <= CLOCK_TOLERANCE_SECONDS
    except psutil.Error:
        return None
    return process if same and is_alive(process) else None


def end(processes: Iterable[psutil.Process], patience: float) -> None:
    """Ask processes to end (SIGTERM), and kill those that are still there after `patience` seconds."""
    found = list(processes)
    _signal(found, signal.SIGTERM)
    wait_until(lambda: not any(map(is_alive, found)), patience)
    kill(found)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill processes (SIGKILL) and wait until they are gone."""
    found = list(processes)
    _signal(filter(is_alive, found), signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, found)), KILLING_SECONDS)
    for process in found:
        with suppress(ChildProcessError):  # a child of this process would stay as a zombie
            os.waitpid(process.pid, os.WNOHANG)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, at most some seconds; tell whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def daemons_of(slurm_conf: Path) -> Iterator[psutil.Process]:
    """Yield the daemons of the lab with this slurm.conf and the stepds of its jobs, recorded or not."""
    for process, environment in _processes():
        if environment.get("SLURM_CONF") == str(slurm_conf) and process.name() in DAEMONS:
            yield process


def of_jobs(slurm_conf: Path, node: str | None = None) -> list[psutil.Process]:
    """Return the processes that the jobs of a lab have started, on one node or on all, with all their descendants."""
    found = set()
    for process, environment in _processes():
        name = environment.get("SLURMD_NODENAME")
        if environment.get("SLURM_CONF") == str(slurm_conf) and name and node in (None, name):
            found |= {process, *_descendants(process)}
    return sorted(found, key=lambda process: process.pid)


def stepds_of(spool: Path) -> list[psutil.Process]:
    """Return the stepds of a node; each has a socket in the node's spool folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "slurmstepd" and any(
                str(socket.laddr).startswith(f"{spool}/") for socket in process.net_connections("unix")
            ):
                found.append(process)
    return found


def _processes() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            yield process, process.environ()


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)
