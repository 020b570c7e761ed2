"""Runs a rehearsal under its lease and writes its record."""

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

from harness.exit_codes import ExitCode
from harness.store.guard import LostLease, check_owner
from harness.store.provenance import git_state, versions
from harness.store.rehearsals import RehearsalDirectory, RehearsalRecord
from harness.training.device import device_name
from harness.training.distributed import LostRank
from harness.worker.context import Context
from harness.worker.ownership import ending_after_lost_rank, owned
from harness.worker.rehearsal.rehearsal import Ended, Rehearsal
from harness.worker.stop import Stopped, StopRequest

log = logging.getLogger("harness.worker")


def rehearse(context: Context, directory: RehearsalDirectory) -> ExitCode:
    """Rehearse a run, unless another worker holds it or takes it over. Every rank calls it.

    Problems are recorded, not raised. A stopped rehearsal leaves no record; the next one starts from the beginning.
    """
    try:
        with owned(directory, context.comm) as stop:
            return ExitCode.BUSY if stop is None else _perform(context, directory, stop)
    except LostLease as error:
        log.error("%s", error)  # to stderr: the log of the rehearsal is no longer ours
        return ExitCode.BUSY


def _perform(context: Context, directory: RehearsalDirectory, stop: StopRequest) -> ExitCode:
    begun, started, device = time.monotonic(), datetime.now(UTC), context.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    rehearsal = Rehearsal(context, directory, stop)
    try:
        rehearsal.perform()
        peak = max(context.comm.all_gather([_peak_memory(device)]))
    except Stopped as stopped:
        check_owner(directory.path)
        return stopped.exit_code
    except LostRank as error:
        check_owner(directory.path)
        return ending_after_lost_rank(directory.record_of_rehearsal() is not None, stop, error)
    except Ended:  # every failing rank records its own problems, because the others do not know them
        peak = _peak_memory(device)
    if context.comm.is_main or rehearsal.problems:
        _record(context, rehearsal, directory, started, time.monotonic() - begun, peak)
    log.info("rehearsed: %s", "; ".join(map(str, rehearsal.problems)) or "ok")
    return ExitCode.FAILED if rehearsal.problems else ExitCode.DONE


def _record(
    context: Context,
    rehearsal: Rehearsal,
    directory: RehearsalDirectory,
    started: datetime,
    seconds: float,
    peak_memory: int,
) -> None:
    commit, dirty = git_state()
    config, device = rehearsal.config, context.device
    RehearsalRecord(
        run=directory.id,
        started=started,
        seconds=round(seconds, 3),
        host=socket.gethostname(),
        device=str(device),
        device_name=device_name(device),
        threads=torch.get_num_threads(),
        world_size=context.comm.size,
        commit=commit,
        dirty=dirty,
        versions=versions(),
        iterations=config.training.iterations(config.data),
        epochs=config.training.epochs,
        peak_memory=peak_memory,
        device_memory=torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None,
        free_disk=shutil.disk_usage(directory.path).free,
        problems=rehearsal.problems,
        **rehearsal.findings,
    ).save(directory.rehearsal)


def _peak_memory(device: torch.device) -> int:
    """Return the peak memory in bytes: of tensors on a GPU, or of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):  # `getrusage` would include the parent's memory at the time of the fork
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    return psutil.Process().memory_info().rss
