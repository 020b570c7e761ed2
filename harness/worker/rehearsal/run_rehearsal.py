"""Takes the lease of a rehearsal, performs it, and records how it went."""

import logging
import re
import shutil
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import torch

from harness.config.execution import Execution
from harness.store.provenance import git_state, versions
from harness.store.rehearsals import RehearsalDirectory, RehearsalRecord
from harness.training.distributed import Communicator, LostRank
from harness.worker.device import device_name
from harness.worker.rehearsal.rehearsal import Ended, Rehearsal
from harness.worker.stop import Stopped, StopRequest
from harness.worker.work import Ending, as_owner, without_the_others

log = logging.getLogger("harness.worker")


def rehearse(
    directory: RehearsalDirectory, data_root: Path, device: torch.device, execution: Execution, comm: Communicator
) -> Ending:
    """Rehearse a run, unless another worker does. All ranks of a world do it together.

    What would have gone wrong is recorded, not raised. A rehearsal that is stopped leaves no record: it starts anew.
    """

    def task(stop: StopRequest) -> Ending:
        begun, started = time.monotonic(), datetime.now(UTC)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        rehearsal = Rehearsal(directory, data_root, device, execution, stop, comm)
        try:
            rehearsal.perform()
            peak = max(comm.all_gather([_peak_memory(device)]))
        except Stopped as stopped:
            return Ending.EVICTED if stopped.evicted else Ending.INTERRUPTED
        except LostRank as error:
            return without_the_others(directory.record_of_rehearsal() is not None, stop, error)
        except Ended:  # each rank that fails says why: the others do not know
            peak = _peak_memory(device)
        if comm.is_main or rehearsal.problems:
            _record(rehearsal, directory, device, comm, started, time.monotonic() - begun, peak)
        log.info("rehearsed: %s", "; ".join(map(str, rehearsal.problems)) or "ok")
        return Ending.FAILED if rehearsal.problems else Ending.DONE

    return as_owner(directory, comm, task)


def _record(
    rehearsal: Rehearsal,
    directory: RehearsalDirectory,
    device: torch.device,
    comm: Communicator,
    started: datetime,
    seconds: float,
    peak: int,
) -> None:
    commit, dirty = git_state()
    config = rehearsal.config
    RehearsalRecord(
        run=directory.id,
        started=started,
        seconds=round(seconds, 3),
        host=socket.gethostname(),
        device=str(device),
        device_name=device_name(device),
        threads=torch.get_num_threads(),
        world_size=comm.size,
        commit=commit,
        dirty=dirty,
        versions=versions(),
        iterations=config.training.iterations(config.data),
        epochs=config.training.epochs,
        peak_memory=peak,
        device_memory=torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None,
        free_disk=shutil.disk_usage(directory.path).free,
        problems=rehearsal.problems,
        **rehearsal.findings,
    ).save(directory.rehearsal)


def _peak_memory(device: torch.device) -> int:
    """Return the most bytes that tensors took on a GPU, or this process in the memory of the machine."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):  # `getrusage` would count what the parent had when it started this process
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    return psutil.Process().memory_info().rss
