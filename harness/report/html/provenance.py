"""Where a paper's numbers come from: commits, other code, devices, versions and dates of all stays of workers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.config.plugins import OWN
from harness.store.records import DistributionRecord, Segment

MOST = 4


@dataclass(frozen=True)
class Provenance:
    """Each kind of thing with the number of stays that had it, most frequent first; `first` and `last` are dates."""

    commits: tuple[tuple[str, int], ...] = ()
    code: tuple[tuple[str, int], ...] = ()
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
        commits=_count(_commit(stay.commit, stay.dirty) for stay in stays),
        code=_count(_code(code) for stay in stays for code in stay.distributions if code.name != OWN),
        devices=_count(map(_device, stays)),
        hosts=_count(stay.host for stay in stays),
        versions=_count(", ".join(f"{name} {value}" for name, value in stay.versions.items()) for stay in stays),
        first=min(days, default=""),
        last=max(days, default=""),
    )


def _commit(commit: str | None, dirty: bool | None) -> str:
    if not commit:
        return "unknown"
    return f"{commit[:12]} with uncommitted changes" if dirty else commit[:12]


def _code(code: DistributionRecord) -> str:
    """Return the code of another distribution, by its hash where git does not track it."""
    state = f"commit {_commit(code.commit, code.dirty)}" if code.commit else f"SHA-256 {code.sha256[:12]}"
    return f"{code.name} {code.version}, {state}"


def _device(stay: Segment) -> str:
    name = stay.device_name or stay.device
    return f"{stay.world_size} × {name}" if stay.world_size != 1 else name


def _count(things: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(things).most_common(MOST))
