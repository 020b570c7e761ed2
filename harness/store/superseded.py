"""Restarting runs: move the old directory aside and request the same evaluations again."""

import os
from pathlib import Path

from harness.config.run import Run
from harness.store.code import other_code_of
from harness.store.files import writing
from harness.store.lease import Lease
from harness.store.names import next_number, numbered
from harness.store.results import Results
from harness.store.run_directory import RunDirectory


def supersede(results: Results, directory: RunDirectory) -> bool:
    """Move a run that was measured with other code to `superseded/ID.N`; return False if a worker holds it.

    Idempotent, since a restarted run uses the current code.
    """
    if not directory.config.exists():
        return True
    lease = Lease.acquire(directory.path)
    if lease is None:
        return False
    with lease:
        # Check again under the lease: another command may have restarted the run in the meantime.
        if other_code_of(directory):
            target = results.superseded / f"{directory.id}.{next_number(_copies(results, directory.id))}"
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(directory.path, target)
    return True


def restore_requests(results: Results, run: Run) -> None:
    """Request the evaluations of a superseded run for its successor, unless that already exists.

    This also completes an earlier command that was killed after `supersede`.
    """
    directory, copies = results.directory(run), _copies(results, run.id)
    if copies and not directory.config.exists():
        directory.request(run, RunDirectory(copies[max(copies)]).requested())


def _copies(results: Results, id: str) -> dict[int, Path]:
    """Return the copies that were set aside, by number."""
    return numbered(results.superseded, before=f"{id}.")
