"""The provenance of a paper's numbers: commits, other code, devices, versions and dates of all run segments."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.config.plugins import OWN
from harness.store.records import DistributionRecord, Segment

MOST = 4


@dataclass(frozen=True)
class Provenance:
    """Values with the number of segments that had them, most frequent first; `first` and `last` are dates."""

    commits: tuple[tuple[str, int], ...] = ()
    code: tuple[tuple[str, int], ...] = ()
    devices: tuple[tuple[str, int], ...] = ()
    hosts: tuple[tuple[str, int], ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    first: str = ""
    last: str = ""


def provenance(segments: Iterable[Segment]) -> Provenance:
    """Return the provenance of the values that were measured in these segments."""
    segments = list(segments)
    days = [f"{segment.started:%Y-%m-%d}" for segment in segments]
    return Provenance(
        commits=_count(_commit(segment.commit, segment.dirty) for segment in segments),
        code=_count(_code(code) for segment in segments for code in segment.distributions if code.name != OWN),
        devices=_count(map(_device, segments)),
        hosts=_count(segment.host for segment in segments),
        versions=_count(", ".join(f"{name} {value}" for name, value in each.versions.items()) for each in segments),
        first=min(days, default=""),
        last=max(days, default=""),
    )


def _commit(commit: str | None, dirty: bool | None) -> str:
    if not commit:
        return "unknown"
    return f"{commit[:12]} with uncommitted changes" if dirty else commit[:12]


def _code(code: DistributionRecord) -> str:
    """Return the version of another distribution's code: its commit, or its hash if git does not track it."""
    state = f"commit {_commit(code.commit, code.dirty)}" if code.commit else f"SHA-256 {code.sha256[:12]}"
    return f"{code.name} {code.version}, {state}"


def _device(segment: Segment) -> str:
    name = segment.device_name or segment.device
    return f"{segment.world_size} × {name}" if segment.world_size != 1 else name


def _count(things: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(things).most_common(MOST))
