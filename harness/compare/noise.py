"""The noise behind a difference of two result sets, pooled over all cells of a metric, dataset and kind of model."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from harness.compare.significance import DifferenceTest, SeedValues
from harness.registry.cells import Cell
from harness.report.results.seed_noise import pooled

Pool = tuple[str, str, str, str]


@dataclass(frozen=True)
class CellOfBoth:
    """A cell with finite values on both sides, which differ. `items` is the number of items behind a value.

    `same_runs` is whether both sides have the same runs: their differences are pairs, since a seed is not drawn anew.
    """

    cell: Cell
    a: SeedValues
    b: SeedValues
    items: int
    same_runs: bool

    @property
    def pool(self) -> Pool:
        """What cells have in common if their noise is pooled."""
        config = self.cell.run.config
        return self.cell.metric.key, self.cell.label, config.data.name, config.model_kind

    @property
    def size(self) -> float:
        """The value that a relative noise refers to; 1 if the noise is absolute."""
        return abs(self.a.mean + self.b.mean) / 2 if self.cell.metric.noise == "relative" else 1.0

    @property
    def differences(self) -> list[float]:
        """The differences B - A by seed."""
        return [self.b.by_seed[seed] - value for seed, value in self.a.by_seed.items()]

    @property
    def floor(self) -> float:
        """The standard deviation of rounding a value to whole items."""
        return 100 / self.items / sqrt(12) if self.cell.metric.proportion and self.items else 0.0


class PooledNoise:
    """The noise between seeds of some cells, and the noise of the differences of pairs."""

    def __init__(self, cells: Iterable[CellOfBoth]) -> None:
        self._values: dict[Pool, list[Sequence[float]]] = defaultdict(list)
        self._differences: dict[Pool, list[Sequence[float]]] = defaultdict(list)
        for one in cells:
            self._values[one.pool] += [tuple(side.by_seed.values()) for side in (one.a, one.b)]
            if one.same_runs and one.size:
                self._differences[one.pool].append([value / one.size for value in one.differences])

    def test(self, one: CellOfBoth) -> DifferenceTest | None:
        """Return the test of a cell, None if no cell of its pool has two seeds or none has any noise."""
        difference = one.b.mean - one.a.mean
        pairs = pooled("absolute", self._differences[one.pool]) if one.same_runs else None
        if pairs:
            error = max(pairs.sd * one.size, sqrt(2) * one.floor) / sqrt(one.a.n)
            return DifferenceTest(difference, error, pairs.df) if error else None
        spread = pooled(one.cell.metric.noise, self._values[one.pool])
        if spread is None:
            return None
        error = max(spread.sd * one.size, one.floor) * sqrt(1 / one.a.n + 1 / one.b.n)
        return DifferenceTest(difference, error, spread.df) if error else None
