"""Takes the lease of a run, works on it, and records how that ended."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import torch

from harness.spec.errors import HarnessError
from harness.spec.execution import Execution
from harness.store.files import writing
from harness.store.lease import Lease
from harness.store.records import Need, Outcome
from harness.store.run_directory import Results, RunDirectory
from harness.worker.session import Incomplete, Session
from harness.worker.stay import Stay
from harness.worker.stop import Stopped, StopRequest

log = logging.getLogger("harness.worker")


class Ending(Enum):
    """How a worker left a run, with the exit code of its process."""

    DONE = 0
    FAILED = 1
    BUSY = 3
    INTERRUPTED = 130


def work(
    results: Results, directory: RunDirectory, data_root: Path, device: torch.device, execution: Execution
) -> Ending:
    """Bring a run to its end, unless another worker is at it.

    Failures of the run are recorded, not raised. Raises `StoreError` when the directory cannot be written.
    """
    stop = StopRequest()
    lease = Lease.acquire(directory.path, lost=stop.set)
    if lease is None:
        return Ending.BUSY
    with lease, stop, _logging_to(directory.log):
        directory.outcome.unlink(missing_ok=True)
        try:
            with Stay(directory, device) as stay:
                Session(results, directory, data_root, device, execution, stop, stay).finish()
        except Stopped:
            log.info("interrupted")
            return Ending.INTERRUPTED
        except Incomplete as error:
            log.error("incomplete: %s", _one_line(error))
            needs = {id: Need(what=need.what, how=need.how) for id, need in error.needs.items()}
            Outcome.now("failed", _one_line(error), needs).save(directory.outcome)
            return Ending.FAILED
        except Exception as error:
            log.error("failed: %s", _one_line(error))
            log.debug("%s", traceback.format_exc())
            Outcome.now("failed", _one_line(error)).save(directory.outcome)
            return Ending.FAILED
        Outcome.now("done").save(directory.outcome)
        log.info("done")
        return Ending.DONE


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, HarnessError) else f"{type(error).__name__}: {text}"


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send the harness's log to a file of the run directory."""
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
