"""The processes of a lab, found by their whole identity, so that reused pids are never signalled."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

from harness.store.processes import Life, ProcessIdentity

POLL_SECONDS = 0.02
KILLING_SECONDS = 10


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process is running. Zombies count as dead, as PID 1 of a container may never reap them."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def find(identity: ProcessIdentity) -> psutil.Process | None:
    """Return the process with this identity, None if it is dead or of another boot or PID namespace."""
    if identity.life() not in (Life.ALIVE, Life.STOPPED):
        return None
    try:
        return psutil.Process(identity.pid)
    except psutil.Error:
        return None


def end(processes: Iterable[psutil.Process], patience: float) -> None:
    """Send SIGTERM to processes, and kill those still alive after `patience` seconds."""
    found = list(processes)
    _signal(found, signal.SIGTERM)
    wait_until(lambda: not any(map(is_alive, found)), patience)
    kill(found)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill processes with SIGKILL and wait until they are dead."""
    found = list(processes)
    _signal(filter(is_alive, found), signal.SIGKILL)
    wait_until(lambda: not any(map(is_alive, found)), KILLING_SECONDS)
    for process in found:
        with suppress(ChildProcessError):  # reap children of this process
            os.waitpid(process.pid, os.WNOHANG)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition for at most `seconds`; return whether it holds."""
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
