"""`holding`: held workers stand still with their leases and continue afterwards, and no test waits forever."""

import subprocess
import sys

import psutil
import pytest
from holding import holding, is_asked_to_leave

from harness.store.lease import is_leased

WORKER = """
import sys, time
from pathlib import Path
from harness.store.lease import Lease
run = Path(sys.argv[1])
with Lease.acquire(run):
    (run / "begun").touch()
    while not (run / "enough").exists():
        time.sleep(0.01)
"""


@pytest.fixture
def work(tmp_path, toy_environment):
    """Start workers of a run that last until a file `enough` exists."""
    started = []

    def start(run):
        command = [sys.executable, "-c", WORKER, str(tmp_path / "runs" / run)]
        started.append(subprocess.Popen(command, env=toy_environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def begun(run):
    return (run / "begun").exists()


def never():
    return None


def test_workers_stand_still_with_their_leases_and_go_on(work, tmp_path):
    processes = {run: work(run) for run in ("a", "b")}
    with holding(tmp_path, begun, never, runs=2) as workers:
        assert {run: worker.pid for run, worker in workers.items()} == {run: p.pid for run, p in processes.items()}
        assert {worker.status() for worker in workers.values()} == {psutil.STATUS_STOPPED}
        assert all(is_leased(tmp_path / "runs" / run) for run in processes)
        assert not is_asked_to_leave(workers["a"])
        workers["a"].terminate()
        assert is_asked_to_leave(workers["a"])
    assert processes["a"].wait(timeout=60) < 0
    (tmp_path / "runs" / "b" / "enough").touch()
    assert processes["b"].wait(timeout=60) == 0
    assert is_asked_to_leave(workers["a"])


def test_a_worker_past_the_condition_is_let_go(work, tmp_path):
    process, asked = work("a"), []

    def once(run):
        if begun(run):
            asked.append(run)
        if len(asked) == 2:
            (run / "enough").touch()
        return len(asked) == 1

    def over():
        return None if process.poll() is None else "it has ended"

    wanted = pytest.raises(AssertionError, match="0 of 1 runs are held, and no other can be: it has ended")
    with wanted, holding(tmp_path, once, over):
        pass
    assert process.returncode == 0
    assert len(asked) > 1


def test_one_that_is_held_goes_on_when_the_other_can_never_come(work, tmp_path):
    process = work("a")

    def over():
        return "it is alone" if psutil.Process(process.pid).status() == psutil.STATUS_STOPPED else None

    wanted = pytest.raises(AssertionError, match="1 of 2 runs are held, and no other can be: it is alone")
    with wanted, holding(tmp_path, begun, over, runs=2):
        pass
    (tmp_path / "runs" / "a" / "enough").touch()
    assert process.wait(timeout=60) == 0
