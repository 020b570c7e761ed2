"""The noise behind a difference of two result sets, pooled over all cells of a metric, dataset and kind of model."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from harness.compare.significance import DifferenceTest, SeedValues
from harness.registry.cells import Cell
from harness.registry.metrics import NoiseKind
from harness.registry.scale import Spread
from harness.report.results.seed_noise import is_larger, pooled, rounding

Pool = tuple[str, str, str, str]
ENOUGH = 5
"""The seeds of both sides from which a cell needs no other cell: its own noise has eight degrees of freedom."""


@dataclass(frozen=True)
class CellOfBoth:
    """A cell with finite values on both sides. `items` is the number of items behind a value.

    `same_runs` is whether both sides have exactly the same runs: their differences are pairs, since no seed is drawn
    anew.
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
    def differs(self) -> bool:
        """Whether a seed of both sides has different values."""
        return any(self.b.by_seed.get(seed, value) != value for seed, value in self.a.by_seed.items())

    @property
    def independent(self) -> list[tuple[float, ...]]:
        """The values of runs that do not depend on each other: of both sides, or of one if both have the same runs."""
        sides = (self.a,) if self.same_runs else (self.a, self.b)
        return [tuple(side.by_seed.values()) for side in sides]

    @property
    def differences(self) -> list[float]:
        """The differences B - A by seed."""
        return [self.b.by_seed[seed] - value for seed, value in self.a.by_seed.items()]

    def choose(self, own: Spread | None, pool: Spread | None) -> Spread | None:
        """Return the noise of this cell by itself where enough is known of it, or it is larger, else its pool's."""
        if own is None or pool is None:
            return pool
        return own if min(self.a.n, self.b.n) >= ENOUGH or is_larger(own, pool) else pool


class PooledNoise:
    """The noise between seeds of some cells, and the noise of the differences of pairs."""

    def __init__(self, cells: Iterable[CellOfBoth]) -> None:
        values: dict[tuple[Pool, NoiseKind], list[Sequence[float]]] = defaultdict(list)
        differences: dict[Pool, list[Sequence[float]]] = defaultdict(list)
        for one in cells:
            values[one.pool, one.cell.metric.noise] += one.independent
            if one.same_runs and one.differs and one.size:
                differences[one.pool].append([value / one.size for value in one.differences])
        self._values = {pool: pooled(noise, groups) for (pool, noise), groups in values.items()}
        self._differences = {pool: pooled("absolute", groups) for pool, groups in differences.items()}

    def test(self, one: CellOfBoth) -> DifferenceTest | None:
        """Return the test of a cell, None if no cell of its pool has two seeds or none has any noise.

        A cell has its own noise if both sides have `ENOUGH` seeds, or if it is noisier than its pool by an F-test.
        """
        whole_items = rounding(one.cell.metric, one.items)
        pairs = self._differences.get(one.pool) if one.same_runs else None
        if pairs:
            own = pooled("absolute", [[value / one.size for value in one.differences]]) if one.size else None
            spread, floor, error = one.choose(own, pairs), sqrt(2) * whole_items, 1 / sqrt(one.a.n)
        else:
            spread = one.choose(pooled(one.cell.metric.noise, one.independent), self._values[one.pool])
            floor, error = whole_items, sqrt(1 / one.a.n + 1 / one.b.n)
        if spread is None:
            return None
        error *= max(spread.sd * one.size, floor)
        return DifferenceTest(one.b.mean - one.a.mean, error, spread.df) if error else None
