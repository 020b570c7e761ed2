"""A worker that stands still for longer than its lease, beside the one that takes over."""

import os
import time

from processes import finish, held, start
from progress import gets_on_in
from snapshots import snapshot

from harness.store.lease_files import STALE_AFTER_SECONDS
from harness.store.temporary import has_temporary

TABLE = "toy/table102"


def overdue(run):
    """Date the heartbeat of a stopped worker as if it stood still for longer than its lease."""
    (lease,) = run.glob("lease.*")
    late = time.time() - STALE_AFTER_SECONDS - 5
    os.utime(lease, (late, late))


def everything(run):
    """Return content and date of every file except the log, which the command that started the worker appends to."""
    files = (path for path in run.rglob("*") if path.is_file() and path.name != "log.txt")
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_worker_that_stood_still_writes_nothing_and_leaves_the_run_to_the_new_owner(
    toy_environment, undisturbed, fresh_results
):
    results = fresh_results()
    first = start(toy_environment, results, TABLE)
    with held(first, results) as workers:
        ((id, worker),) = workers.items()
        run = results / "runs" / id
        overdue(run)
        second = start(toy_environment, results, TABLE)
        with held(second, results, gets_on_in(2)):
            before = everything(run)
            worker.resume()
            worker.wait(60)
            assert everything(run) == before
        finish(second)
    output = finish(first)
    assert "interrupted" not in output and "1 of 1 runs are done" in output
    assert snapshot(results) == undisturbed
    assert not has_temporary(run) and not (run / "checkpoints").exists()
    assert (run / "log.txt").read_text().count("this one stops and writes nothing more") == 1
