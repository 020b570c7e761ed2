"""Provenance of a result: commit, package versions and machine."""

import platform
import socket
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness.store.distributions import own_distribution
from harness.store.records import Segment

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "safetensors", "pydantic")


def segment(device: str, device_name: str, threads: int, world_size: int) -> Segment:
    """Return the record of a segment that starts now."""
    commit, dirty = git_state()
    return Segment(
        started=datetime.now(UTC),
        seconds=0.0,
        host=socket.gethostname(),
        device=device,
        threads=threads,
        commit=commit,
        dirty=dirty,
        versions=versions(),
        world_size=world_size,
        devices=world_size,
        device_name=device_name,
    )


@cache
def processor_name() -> str:
    """Return the processor's model name, or its architecture if unknown."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return " ".join(value.split())
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> tuple[str | None, bool | None]:
    """Return the commit of this code and whether the working tree differs from it, None if git does not track it.

    Code in a snapshot has the commit of the original.
    """
    own = own_distribution()
    return own.commit, own.dirty
