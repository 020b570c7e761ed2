"""Takes the lease of a run, works on it, and records how that ended."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from enum import Enum
from pathlib import Path

import torch

from harness.config.execution import Execution
from harness.errors import HarnessError
from harness.store.files import writing
from harness.store.lease import Lease
from harness.store.records import Need, Outcome
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.training.distributed import Communicator, LostRank
from harness.worker.segment_recorder import SegmentRecorder
from harness.worker.session import Incomplete, Session
from harness.worker.stop import Stopped, StopRequest

log = logging.getLogger("harness.worker")


class Ending(Enum):
    """How a worker left a run, with the exit code of its process.

    `EVICTED` and `LOST` want to be started again: the state is saved, up to the newest checkpoint at least. `STALLED`
    is an eviction before anything was added to it.
    """

    DONE = 0
    FAILED = 1
    BUSY = 3
    EVICTED = 75
    LOST = 76
    STALLED = 77
    INTERRUPTED = 130


def work(
    results: Results,
    directory: RunDirectory,
    data_root: Path,
    device: torch.device,
    execution: Execution,
    comm: Communicator | None = None,
) -> Ending:
    """Bring a run to its end, unless another worker is at it. All ranks of a world do it together.

    Failures of the run are recorded, not raised. Raises `StoreError` when the directory cannot be written.
    """
    comm = comm or Communicator()

    def task(stop: StopRequest) -> Ending:
        return _work(results, directory, data_root, device, execution, comm, stop)

    return as_owner(directory, comm, task)


def as_owner(directory: RunDirectory, comm: Communicator, task: Callable[[StopRequest], Ending]) -> Ending:
    """Do a task in a run directory and return how it ended, `BUSY` where another worker holds the lease."""
    stop = StopRequest()
    lease = Lease.acquire(directory.path, lost=stop.set, unwanted=directory.is_cancelled) if comm.is_main else None
    if comm.on_first_rank(lambda: lease is None):
        return Ending.BUSY
    with stop, _owning(directory, lease) if lease else nullcontext():
        return task(stop)


def _work(
    results: Results,
    directory: RunDirectory,
    data_root: Path,
    device: torch.device,
    execution: Execution,
    comm: Communicator,
    stop: StopRequest,
) -> Ending:
    try:
        if comm.on_first_rank(directory.is_cancelled):
            log.info("cancelled")
            return Ending.INTERRUPTED
        with SegmentRecorder(directory, device, comm.rank, comm.size) as recorder:
            Session(results, directory, data_root, device, execution, stop, recorder, comm).finish()
    except Stopped as stopped:
        log.info("%s", stopped)
        return Ending.EVICTED if stopped.evicted else Ending.INTERRUPTED
    except LostRank as error:
        outcome = directory.last_outcome()
        return without_the_others(outcome is not None and outcome.state == "failed", stop, error)
    except Incomplete as error:
        needs = {id: Need(what=need.what, how=need.how) for id, need in error.needs.items()}
        return _failed(directory, comm, error, needs)
    except Exception as error:
        log.debug("%s", traceback.format_exc())
        return _failed(directory, comm, error)
    if comm.is_main:
        Outcome.now("done").save(directory.outcome)
    log.info("done")
    return Ending.DONE


def _failed(
    directory: RunDirectory, comm: Communicator, error: Exception, needs: Mapping[str, Need] | None = None
) -> Ending:
    """Record a failure. Every rank may, since what fails on one of them leaves the others without a reason."""
    why = one_line(error) if comm.is_main else f"rank {comm.rank}: {one_line(error)}"
    log.error("%s: %s", "incomplete" if needs else "failed", why)
    if (comm.is_main or needs is None) and not directory.is_cancelled():
        Outcome.now("failed", why, needs).save(directory.outcome)
    return Ending.FAILED


def without_the_others(told: bool, stop: StopRequest, error: LostRank) -> Ending:
    """Return how a rank ends that has lost another: that one has `told` why, all were asked to stop, or it died."""
    if told:
        return Ending.FAILED
    if stop.wanted:
        return Ending.EVICTED if stop.evicted else Ending.INTERRUPTED
    log.error("%s", error)
    return Ending.LOST


@contextmanager
def _owning(directory: RunDirectory, lease: Lease) -> Iterator[None]:
    """Keep the lease, begin a new outcome, and write the log."""
    with lease, _logging_to(directory.log):
        if not directory.is_cancelled():
            directory.outcome.unlink(missing_ok=True)
        yield


def one_line(error: Exception) -> str:
    """Return what an error says, with its kind where it was not meant for people."""
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
