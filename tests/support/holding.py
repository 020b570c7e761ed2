"""Holds workers while a test acts: a run that trains in a second is stopped at a chosen point, not raced."""

import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from harness.store.lease import holder

LOOK_SECONDS = 0.01
ASK_SECONDS = 1.0
"""`over` may have to query a scheduler, which is slower than reading files."""
LEAVE = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


@contextmanager
def holding(results, until, over, runs=1, seconds=120):
    """Stop the workers of `runs` runs by SIGSTOP, each once `until(run)` holds; they continue after the body.

    `until` gets a run's folder (see progress.py for conditions) and is checked again once the worker has stopped.
    `over()` returns why no further worker can get there, which fails the test, or None. Yields the stopped processes by
    run id; they keep their leases for two minutes.
    """
    stopped = {}
    begun = asked = time.monotonic()
    try:
        while len(stopped) < runs:
            now, why = time.monotonic(), None
            if now - asked >= ASK_SECONDS:
                asked, why = now, over()
            stopped |= _newly_stopped(results, until, runs - len(stopped), stopped)
            if len(stopped) < runs:
                assert not why, f"{len(stopped)} of {runs} runs are held, and no other can be: {why}"
                assert now - begun < seconds, f"{len(stopped)} of {runs} runs are held after {seconds} s"
                time.sleep(LOOK_SECONDS)
        yield stopped
    finally:
        for worker in stopped.values():
            with suppress(psutil.Error):
                worker.resume()


def _newly_stopped(results, until, wanted, stopped):
    found = {}
    for run in sorted(results.glob("runs/*")):
        if len(found) < wanted and run.name not in stopped and (worker := _stopped(run, until)):
            found[run.name] = worker
    return found


def _stopped(run, until):
    """Stop a run's worker if the condition holds; let it continue if it got past that meanwhile."""
    if not until(run) or (owner := holder(run)) is None:
        return None
    with suppress(psutil.NoSuchProcess):
        worker = psutil.Process(owner.process.pid)
        worker.suspend()
        while (status := worker.status()) not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(0.001)
        if status == psutil.STATUS_STOPPED and until(run):
            return worker
        worker.resume()
    return None


def is_asked_to_leave(worker):
    """Whether a held worker has a pending signal to leave, or runs again, since schedulers send SIGCONT."""
    try:
        text = Path(f"/proc/{worker.pid}/status").read_text()
    except FileNotFoundError:
        return True
    lines = dict(line.split(":", 1) for line in text.splitlines())
    waiting = int(lines["SigPnd"], 16) | int(lines["ShdPnd"], 16)
    return not lines["State"].strip().startswith("T") or any(waiting >> (number - 1) & 1 for number in LEAVE)
