"""How far other people's libraries agree with recorded numbers, from the rechecks of runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from harness.store.rechecks import RecheckedEvaluation, RecheckedValue

Rechecks = Mapping[str, Mapping[str, RecheckedEvaluation]]
"""The rechecks of the present records of runs, by run and evaluation; empty for a run without one."""


@dataclass(frozen=True)
class Agreement:
    """The number of recomputed numbers and of those that differ by more than rounding.

    `libraries` has how many numbers each library recomputed, and its largest relative difference, by name and version.
    A number that two libraries recompute counts once in `numbers`.
    """

    numbers: int
    differing: int
    libraries: dict[str, tuple[int, float]]


def agreement(records: Iterable[Sequence[RecheckedValue]]) -> Agreement:
    """Return the agreement of the rechecked values of some records."""
    numbers = differing = 0
    libraries: dict[str, tuple[int, float]] = {}
    for values in records:
        numbers += len({value.quantity for value in values})
        differing += len({value.quantity for value in values if not value.agrees})
        for value in values:
            count, largest = libraries.get(value.by, (0, 0.0))
            libraries[value.by] = count + 1, max(largest, value.difference)
    return Agreement(numbers, differing, dict(sorted(libraries.items())))


def agreement_of(runs: Rechecks) -> Agreement:
    """Return the agreement of the rechecks of some runs."""
    return agreement(each.values for evaluations in runs.values() for each in evaluations.values())


def rechecked_json(runs: Rechecks) -> dict[str, Any]:
    """Return the rechecks of some runs as JSON."""
    found = agreement_of(runs)
    return {
        "runs": sum(map(bool, runs.values())),
        "numbers": found.numbers,
        "differing": found.differing,
        "libraries": libraries_json(found),
    }


def libraries_json(found: Agreement) -> list[dict[str, Any]]:
    """Return the libraries of an agreement as JSON."""
    return [
        {"name": name, "numbers": count, "largest_difference": difference if isfinite(difference) else str(difference)}
        for name, (count, difference) in found.libraries.items()
    ]
