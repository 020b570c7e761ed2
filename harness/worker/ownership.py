"""Ownership of a run: its lease and log on the first rank, and the exit code of a rank that lost another rank."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError
from harness.exit_codes import ExitCode
from harness.store.files import writing
from harness.store.lease import Lease
from harness.store.run_directory import RunDirectory
from harness.training.distributed import Communicator, LostRank
from harness.worker.stop import StopRequest

log = logging.getLogger("harness.worker")


@contextmanager
def owned(directory: RunDirectory, comm: Communicator) -> Iterator[StopRequest | None]:
    """Hold the lease of a run directory on the first rank, for all ranks; yield None if another worker holds it.

    Deletes the last outcome unless the run is cancelled, and appends the log to `log.txt`.
    """
    stop = StopRequest()
    lease = Lease.acquire(directory.path, stop.set, directory.is_cancelled) if comm.is_main else None
    if comm.on_first_rank(lambda: lease is None):
        yield None
        return
    with stop:
        if lease is None:
            yield stop
            return
        with lease, _logging_to(directory.log):
            if not directory.is_cancelled():
                directory.outcome.unlink(missing_ok=True)
            yield stop


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
    """Return an error's message on one line, with the error's type unless it is a `HarnessError`."""
    text = " ".join(str(error).split())
    return text if isinstance(error, HarnessError) else f"{type(error).__name__}: {text}"


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Append the harness's log to a file of the run directory."""
    with writing(path):
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("harness")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
