"""Finished runs: what a worker leaves that is killed after its last record."""

from contextlib import suppress

from harness.store.files import StoreError, remove_folder
from harness.store.guard import guarded
from harness.store.lease import Lease
from harness.store.run_directory import RunDirectory
from harness.store.temporary import has_temporary


def tidy(directory: RunDirectory) -> None:
    """Remove the checkpoints and temporary files of a finished run, unless a worker holds it.

    Does nothing in a folder that cannot be written.
    """
    if not (directory.checkpoints.exists() or has_temporary(directory.path)):
        return
    with suppress(StoreError):
        lease = Lease.acquire(directory.path)  # this removes temporary files
        if lease is not None:
            with lease, guarded(directory.path, lease.guard):
                remove_folder(directory.checkpoints)
