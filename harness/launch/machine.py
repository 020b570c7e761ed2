"""The GPUs, cores and memory that this process may use, found without importing torch."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

from harness.store.provenance import processor_name

CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
NO_LIMIT = 2**60
"""Bytes. Without a limit, cgroup v1 reports a larger number."""
LISTED = re.compile(r"GPU (\d+): (.+) \(UUID: (.+)\)")


def gpu_ids() -> list[str]:
    """Return the CUDA devices that a child process may use, empty if there are none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [part for part in visible.split(",") if part.strip() not in ("", "-1")]
    return [index for index, _, _ in _listed()]


def device_kind() -> str:
    """Return the name of the device that runs on this machine would use: the first visible GPU, or the processor."""
    visible = gpu_ids()
    if not visible:
        return processor_name()
    gpus = _listed()
    named = (name for index, name, uuid in gpus if visible[0] == index or uuid.startswith(visible[0]))
    return next(named, gpus[0][1] if gpus else "GPU")


def _listed() -> list[tuple[str, str, str]]:
    """Return the index, the name and the UUID of every GPU of this machine."""
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = (LISTED.match(line) for line in listed.stdout.splitlines())
    return [(match[1], match[2], match[3]) for match in found if match]


def default_workers() -> int:
    """Return one worker per GPU, or one per usable core."""
    return len(gpu_ids()) or usable_cores()


def usable_cores() -> int:
    """Return the number of cores that affinity and cgroup quotas grant to this process, at least 1."""
    from joblib import cpu_count  # takes a quarter of a second to import

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
            if limit.isdigit() and int(limit) < NO_LIMIT:
                yield int(limit)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
