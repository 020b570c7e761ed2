"""Where a paper's numbers come from: commits, devices, versions and dates of all stays of workers."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.store.run_directory import RunDirectory

MOST = 4


@dataclass(frozen=True)
class Provenance:
    """Each kind of thing with the number of stays that had it, most frequent first; `first` and `last` are dates."""

    commits: tuple[tuple[str, int], ...] = ()
    devices: tuple[tuple[str, int], ...] = ()
    hosts: tuple[tuple[str, int], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    first: str = ""
    last: str = ""


def provenance(directories: Iterable[RunDirectory]) -> Provenance:
    """Return where the values of some runs come from, as far as their segments can be read."""
    stays = [stay for directory in directories for stay in _stays(directory)]
    days = sorted(str(stay.get("started", ""))[:10] for stay in stays if stay.get("started"))
    return Provenance(
        commits=_count(_commit(stay) for stay in stays),
        devices=_count(_device(stay) for stay in stays),
        hosts=_count(str(stay.get("host", "?")) for stay in stays),
        versions=_count(_versions(stay) for stay in stays),
        first=days[0] if days else "",
        last=days[-1] if days else "",
    )


def _stays(directory: RunDirectory) -> list[dict[str, Any]]:
    """Return the segments as they are written: there may be tens of thousands, and nothing is computed from them."""
    found = []
    for path in sorted(directory.segments.glob("*.json")):
        try:
            stay = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(stay, dict):
            found.append(stay)
    return found


def _commit(stay: dict[str, Any]) -> str:
    commit = stay.get("commit")
    if not commit:
        return "unknown"
    return f"{str(commit)[:12]} with uncommitted changes" if stay.get("dirty") else str(commit)[:12]


def _device(stay: dict[str, Any]) -> str:
    name = str(stay.get("device_name") or stay.get("device", "?"))
    ranks = stay.get("world_size", 1)
    return f"{ranks} × {name}" if ranks != 1 else name


def _versions(stay: dict[str, Any]) -> str:
    versions = stay.get("versions")
    return ", ".join(f"{name} {value}" for name, value in versions.items()) if isinstance(versions, dict) else "unknown"


def _count(things: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(things).most_common(MOST))
