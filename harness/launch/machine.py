"""The GPUs, cores and memory that this process may use, found without importing torch."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from harness import environment
from harness.errors import invalid
from harness.launch.gpus import visible_gpus
from harness.natural import natural
from harness.store.provenance import processor_name

CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
CORES = "LOKY_MAX_CPU_COUNT"
NO_LIMIT = 2**60
"""Bytes. Without a limit, cgroup v1 reports a larger number."""


def gpu_ids() -> list[str]:
    """Return the CUDA devices that a child process may use, empty if there are none."""
    return [gpu.id for gpu in visible_gpus()]


def device_kind() -> str:
    """Return the name of the device that runs on this machine would use: the first visible GPU, or the processor."""
    gpus = visible_gpus()
    return gpus[0].name if gpus else processor_name()


def default_workers() -> int:
    """Return one worker per GPU, or one per usable core."""
    return len(gpu_ids()) or usable_cores()


def usable_cores() -> int:
    """Return the number of cores that affinity, cgroup quotas and joblib's limit grant to this process, at least 1.

    Raises `SpecError` if the limit in the environment is not a positive integer.
    """
    from joblib import cpu_count  # takes a quarter of a second to import

    limit = environment.text(CORES)
    if limit is None:
        os.environ.pop(CORES, None)  # an empty one is an error for joblib
    elif not natural(limit.strip()):
        raise invalid("environment", CORES, limit, "integers of 1 or more")
    return int(cpu_count())


def usable_memory() -> int:
    """Return the memory that this process may use, in bytes: the machine's total, or a lower cgroup limit."""
    return min([psutil.virtual_memory().total, *_memory_limits()])


def _memory_limits() -> Iterator[int]:
    """Yield the memory limits of this process's cgroups (v1 and v2) in bytes, from the innermost outwards."""
    for line in _text(MEMBERSHIP).splitlines():
        _, controllers, path = line.split(":", 2)
        base = CGROUPS / controllers
        inner = base / path.lstrip("/")
        for folder in (folder for folder in (inner, *inner.parents) if folder.is_relative_to(base)):
            limit = (_text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")).strip()
            if (size := natural(limit)) is not None and size < NO_LIMIT:
                yield size


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
