"""Workers that stand still while a test acts: a run that trains in a second is held where it is, not raced."""

import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from harness.store.lease import holder

LOOK_SECONDS = 0.01
ASK_SECONDS = 1.0
"""`over` may have to ask a scheduler, which takes longer than a look at files."""
LEAVE = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)


@contextmanager
def holding(results, until, over, runs=1, seconds=120):
    """Stop the workers of so many runs by SIGSTOP, each when `until(run)` holds; they go on when the body has ended.

    `until` gets the folder of a run (progress.py has such conditions) and is asked again once the worker stands still.
    `over()` says why no worker will get there any more, if so: that fails at once. Yields the stopped processes by run
    id; for two minutes they keep their leases.
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
    """Stop the worker of a run where the condition holds; let it go on where it got past that meanwhile."""
    if not until(run) or (owner := holder(run)) is None:
        return None
    with suppress(psutil.NoSuchProcess):
        worker = psutil.Process(owner.pid)
        worker.suspend()
        while (status := worker.status()) not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(0.001)
        if status == psutil.STATUS_STOPPED and until(run):
            return worker
        worker.resume()
    return None


def is_asked_to_leave(worker):
    """Tell whether a held worker has a signal to leave waiting, or goes on already, since schedulers send SIGCONT."""
    try:
        text = Path(f"/proc/{worker.pid}/status").read_text()
    except FileNotFoundError:
        return True
    lines = dict(line.split(":", 1) for line in text.splitlines())
    waiting = int(lines["SigPnd"], 16) | int(lines["ShdPnd"], 16)
    return not lines["State"].strip().startswith("T") or any(waiting >> (number - 1) & 1 for number in LEAVE)
