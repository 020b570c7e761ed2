"""Where a paper's numbers come from: commits, devices, versions and dates of all stays of workers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.store.records import Segment

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


def provenance(stays: Iterable[Segment]) -> Provenance:
    """Return where the values come from that workers measured in these stays."""
    stays = list(stays)
    days = [f"{stay.started:%Y-%m-%d}" for stay in stays]
    return Provenance(
        commits=_count(map(_commit, stays)),
        devices=_count(map(_device, stays)),
        hosts=_count(stay.host for stay in stays),
        versions=_count(", ".join(f"{name} {value}" for name, value in stay.versions.items()) for stay in stays),
        first=min(days, default=""),
        last=max(days, default=""),
    )


def _commit(stay: Segment) -> str:
    if not stay.commit:
        return "unknown"
    return f"{stay.commit[:12]} with uncommitted changes" if stay.dirty else stay.commit[:12]


def _device(stay: Segment) -> str:
    name = stay.device_name or stay.device
    return f"{stay.world_size} × {name}" if stay.world_size != 1 else name


def _count(things: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(things).most_common(MOST))
