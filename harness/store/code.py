"""With which code a run was measured: the distributions whose kinds it uses, and those that have other code by now."""

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
"""How many runs are named in a sentence."""


def code_of(configs: Iterable[Config]) -> tuple[DistributionRecord, ...]:
    """Return the distributions whose kinds some configurations use, by their names.

    A kind belongs to those of its class, of the classes that this one extends, and of its implementation, as far as the
    latter offers papers or kinds: a library such as torch does not.
    """
    kinds = {type(kind) for config in configs for kind in _kinds(config)}
    owners = {owner.name: owner for kind in kinds for owner in _owners(kind)}
    return tuple(map(_record, (owners[name] for name in sorted(owners))))


def other_code(segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return the distributions that had other code in the stays that measured a run than they have now.

    Neither the harness, whose kinds have revisions, nor what is not installed now is among them.
    """
    recorded = {(found.name, found.sha256) for stay in _lasting(segments) for found in stay.distributions}
    others = {name for name, sha256 in recorded if name != OWN and (now := installed(name)) and now.sha256 != sha256}
    return tuple(sorted(others))


def other_code_of(directory: RunDirectory) -> tuple[str, ...]:
    """Return the distributions that had other code when a run was measured, as far as its stays can be read."""
    try:
        return other_code(directory.all_segments())
    except StoreError:
        return ()


def describe_other_code(stale: Mapping[str, Iterable[str]]) -> str:
    """Return in words that runs, by their ids, were measured with other code of some distributions; empty for none."""
    names = sorted({name for distributions in stale.values() for name in distributions})
    if not names:
        return ""
    ids = ", ".join(list(stale)[:MOST]) + (", ..." if len(stale) > MOST else "")
    runs = "1 run was" if len(stale) == 1 else f"{len(stale)} runs were"
    return f"{runs} measured with other code of {' and '.join(names)} than is installed now ({ids})"


def cache_of(kind: Family, cache: Path) -> Path:
    """Return the folder for what a kind computes once for all runs: one of its own for each state of foreign code."""
    foreign = [owner for owner in _owners(type(kind)) if owner.name != OWN]
    return cache.joinpath(*(f"{owner.name}-{owner.sha256[:12]}" for owner in foreign))


def _record(found: Installed) -> DistributionRecord:
    return DistributionRecord(
        name=found.name, version=found.version, commit=found.commit, dirty=found.dirty, sha256=found.sha256
    )


def _kinds(value: Any) -> Iterator[Family]:
    """Yield the kinds in a configuration, itself included."""
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


def _lasting(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Yield the stays of which something is left: training that no later one did again, or an evaluation."""
    begins = inf
    again: set[str] = set()
    for stay in reversed(list(segments)):
        trained = stay.first_step is not None and stay.first_step < begins and (begins < inf or stay.steps != 0)
        measured = stay.evaluations.keys() - again
        if stay.first_step is not None:
            begins = min(begins, stay.first_step)
        again |= measured
        if trained or measured:
            yield stay
