"""The code that measured a run: the distributions that define its kinds, and changes of their code since then."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

from harness.config.base import Config
from harness.config.family import Family
from harness.config.plugins import OWN
from harness.store.distributions import Installed, installed, offering, owner_of
from harness.store.files import StoreError
from harness.store.records import DistributionRecord, Segment
from harness.store.run_directory import RunDirectory

MOST = 3
"""The maximum number of runs named in a message."""


def code_of(configs: Iterable[Config]) -> tuple[DistributionRecord, ...]:
    """Return the distributions that define the kinds of some configurations, sorted by name.

    These are the distributions of a kind's class, of its base classes, and of its implementation. The latter counts
    only if it offers papers or kinds, unlike a library such as torch.
    """
    kinds = {type(kind) for config in configs for kind in _kinds(config)}
    owners = {owner.name: owner for kind in kinds for owner in _owners(kind)}
    return tuple(map(_record, (owners[name] for name in sorted(owners))))


def other_code(segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return the distributions with code that has changed since the segments that measured a run.

    Excludes the harness, because its kinds have revisions, and distributions that are no longer installed.
    """
    recorded = {(found.name, found.sha256) for segment in _effective(segments) for found in segment.distributions}
    others = {name for name, sha256 in recorded if name != OWN and (now := installed(name)) and now.sha256 != sha256}
    return tuple(sorted(others))


def other_code_of(directory: RunDirectory) -> tuple[str, ...]:
    """Return the distributions whose code has changed since a run was measured, () if a segment is unreadable."""
    try:
        return other_code(directory.all_segments())
    except StoreError:
        return ()


def describe_other_code(stale: Mapping[str, Iterable[str]]) -> str:
    """Describe the runs, by id, that were measured with other code of some distributions; "" if there are none."""
    names = sorted({name for distributions in stale.values() for name in distributions})
    if not names:
        return ""
    ids = ", ".join(list(stale)[:MOST]) + (", ..." if len(stale) > MOST else "")
    runs = "1 run was" if len(stale) == 1 else f"{len(stale)} runs were"
    return f"{runs} measured with other code of {' and '.join(names)} than is installed now ({ids})"


def cache_of(kind: Family, cache: Path) -> Path:
    """Return the cache folder for results of a kind shared by all runs, keyed by the hash of foreign code."""
    foreign = [owner for owner in _owners(type(kind)) if owner.name != OWN]
    return cache.joinpath(*(f"{owner.name}-{owner.sha256[:12]}" for owner in foreign))


def _record(found: Installed) -> DistributionRecord:
    return DistributionRecord(
        name=found.name, version=found.version, commit=found.commit, dirty=found.dirty, sha256=found.sha256
    )


def _kinds(value: Any) -> Iterator[Family]:
    """Yield the kinds in a configuration, including itself."""
    if isinstance(value, Family):
        yield value
    if isinstance(value, Config):
        for name in type(value).model_fields:
            yield from _kinds(getattr(value, name))
    elif isinstance(value, dict):
        yield from _kinds(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _kinds(part)


@cache
def _owners(kind: type[Family]) -> tuple[Installed, ...]:
    classes = [base for base in kind.__mro__ if issubclass(base, Family) and base is not Family]
    owners = [owner_of(base.__module__) for base in classes]
    implementation = getattr(kind, "implementation", "").partition(":")[0]
    owners += [found for found in offering() if found.has(implementation)]
    return tuple({owner.name: owner for owner in owners if owner is not None}.values())


def _effective(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Yield the segments with effective work: training that no later segment repeated, or a kept evaluation."""
    begins = inf
    again: set[str] = set()
    for segment in reversed(list(segments)):
        first = segment.first_step
        trained = first is not None and first < begins and (begins < inf or segment.steps != 0)
        measured = segment.evaluations.keys() - again
        begins = begins if first is None else min(begins, first)
        again |= measured
        if trained or measured:
            yield segment
