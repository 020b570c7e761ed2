"""How far other people's libraries agree with recorded numbers, from the rechecks of runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.store.rechecks import RecheckedValue


@dataclass(frozen=True)
class Agreement:
    """The number of recomputed numbers and of those that differ by more than rounding.

    `libraries` has how many numbers each library recomputed, and its largest relative difference, by name and version.
    A number that two libraries recompute counts once in `numbers`.
    """

    numbers: int
    differing: int
    libraries: dict[str, tuple[int, float]]

    def __str__(self) -> str:
        return ", ".join(f"{name} to {_size(difference)}" for name, (_, difference) in self.libraries.items())


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


def _size(difference: float) -> str:
    return f"{difference:.0e}".replace("e-0", "e-") if difference else "the bit"
