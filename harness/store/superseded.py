"""Runs that are begun anew: their directories are moved aside whole, and what was asked of them is asked again."""

import os

from harness.config.run import Run
from harness.store.code import other_code_of
from harness.store.files import writing
from harness.store.lease import Lease
from harness.store.results import Results
from harness.store.run_directory import RunDirectory


def set_aside(results: Results, directory: RunDirectory) -> bool:
    """Move a run that was measured with other code to `superseded/ID.N`, and tell whether it is away.

    A run that a worker holds is left where it is. Repeating it changes nothing: the next run is not of other code.
    """
    if not directory.config.exists():
        return True
    lease = Lease.acquire(directory.path)
    if lease is None:
        return False
    with lease:
        # Only now nobody else may be at it: another command may have begun it anew meanwhile.
        if other_code_of(directory):
            target = results.superseded / f"{directory.id}.{_last(results, directory.id) + 1}"
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                os.rename(directory.path, target)
    return True


def ask_again(results: Results, run: Run) -> None:
    """Ask of a run that was set aside what had been asked of it before, also where a command was killed in between."""
    directory, number = results.directory(run), _last(results, run.id)
    if number and not directory.config.exists():
        directory.request(run, RunDirectory(results.superseded / f"{run.id}.{number}").requested())


def _last(results: Results, id: str) -> int:
    """Return how often a run was set aside."""
    numbers = (path.name.rpartition(".")[2] for path in results.superseded.glob(f"{id}.*"))
    return max((int(number) for number in numbers if number.isdigit()), default=0)
