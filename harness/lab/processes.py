"""Processes by pid and start time, so that nobody else's are ever signalled; zombies count as dead."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import psutil

POLL_SECONDS = 0.02
KILLING_SECONDS = 10


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; the first process of a container may never bury a dead one."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def started(pid: int) -> int | None:
    """Return when a process started, in the kernel's ticks since the machine's start; None when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[19])


def find(pid: int, since: int) -> psutil.Process | None:
    """Return the living process that has had this pid since it `started` then, if there is one."""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return None
    return process if started(pid) == since and is_alive(process) else None


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


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)
