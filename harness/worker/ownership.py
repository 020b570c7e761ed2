"""Ownership of a run: its lease and log on the first rank, and the exit code of a rank that lost another rank."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from harness import printable
from harness.errors import HarnessError
from harness.exit_codes import ExitCode
from harness.regular_files import append_regular
from harness.store.files import remove, writing
from harness.store.guard import Guard, guarded
from harness.store.lease import Lease, guard_of, lease_from_the_future
from harness.store.links import refuse_links
from harness.store.run_directory import RunDirectory
from harness.training.distributed import Communicator, LostRank
from harness.worker.stop import StopRequest

log = logging.getLogger("harness.worker")


@contextmanager
def owned(directory: RunDirectory, comm: Communicator) -> Iterator[StopRequest | None]:
    """Hold the lease of a run directory on the first rank, for all ranks; yield None if another worker holds it.

    Deletes the last outcome unless the run is cancelled, and appends the log to `log.txt`. After the lease is lost, all
    ranks are refused to write into the directory, with `LostLease`. Raises `StoreError` if the directory contains a
    link.
    """
    stop = StopRequest()
    comm.on_first_rank(lambda: refuse_links(directory.path))
    lease = _acquired(directory, stop) if comm.is_main else None
    number = comm.on_first_rank(lambda: lease.guard.number if lease is not None else None)
    if number is None:
        yield None
        return
    guard = guard_of(directory.path, number)
    with guarded(directory.path, guard), stop:
        if lease is None:
            yield stop
            return
        with lease, _logging_to(directory.log, guard):
            if not directory.is_cancelled():
                remove(directory.outcome)
            yield stop


def _acquired(directory: RunDirectory, stop: StopRequest) -> Lease | None:
    if problem := lease_from_the_future(directory.path):
        log.warning("%s", problem)
    return Lease.acquire(directory.path, stop.set, directory.is_cancelled)


def ending_after_lost_rank(recorded: bool, stop: StopRequest, error: LostRank) -> ExitCode:
    """Return the exit code of a rank that lost another rank.

    FAILED if the failure is already recorded, EVICTED or INTERRUPTED if all ranks were asked to stop, else LOST.
    """
    if recorded:
        return ExitCode.FAILED
    if stop.wanted:
        return stop.exit_code
    log.error("%s", error)
    return ExitCode.LOST


def one_line(error: Exception) -> str:
    """Return an error's message on one line that a terminal can show, with its type unless it is a `HarnessError`."""
    text = printable.one_line(str(error))
    return text if isinstance(error, HarnessError) else f"{type(error).__name__}: {text}"


@contextmanager
def _logging_to(path: Path, guard: Guard) -> Iterator[None]:
    """Append the harness's log to a file of the run directory, as long as the lease is held."""
    with writing(path):
        file = TextIOWrapper(append_regular(path), encoding="utf-8", errors="backslashreplace")
    handler = logging.StreamHandler(file)
    handler.addFilter(lambda record: guard.is_held())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("harness")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        file.close()
