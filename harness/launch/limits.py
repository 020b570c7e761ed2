"""What of this machine's cores and memory a process may use: affinity, cgroups (both versions), physical memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

CGROUPS, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
NO_LIMIT = 2**60
"""Bytes; cgroups of version 1 say "none" with a number above it."""


def usable_cores() -> int:
    """Return the cores that this process may use, at least 1: by affinity and by the quotas of its cgroups."""
    quotas = [quota for folder in _cgroups() if (quota := _quota(folder))]
    return max(1, int(min([_affinity(), *quotas])))


def usable_memory() -> int:
    """Return the memory that this process may use, in bytes: what the machine has, or its cgroups allow."""
    limits = [limit for folder in _cgroups() if (limit := _memory(folder))]
    return min([psutil.virtual_memory().total, *limits])


def _affinity() -> int:
    """Return the cores that this process may run on; systems without affinities count all."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _cgroups() -> Iterator[Path]:
    """Yield the folders of the cgroups that this process is in, from the innermost outwards."""
    for line in _text(MEMBERSHIP).splitlines():
        _, controllers, path = line.split(":", 2)
        base = CGROUPS / controllers
        inner = base / path.lstrip("/")
        yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(base))


def _quota(folder: Path) -> float | None:
    """Return the cores that a cgroup allows, None where it sets no limit."""
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _memory(folder: Path) -> int | None:
    """Return the bytes that a cgroup allows, None where it sets no limit."""
    limit = (_text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")).strip()
    return int(limit) if limit.isdigit() and int(limit) < NO_LIMIT else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
