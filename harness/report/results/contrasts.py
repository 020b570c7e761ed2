"""Estimates of contrasts: weighted sums of cells, with the noise between the seeds of their runs.

Cells of one run, such as its accuracies under attacks of several sizes, are not independent. The part of a run in a
contrast is therefore formed seed by seed, and its noise is that of these sums.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import count
from math import inf, sqrt
from typing import NamedTuple

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.claims import Claim, Contrast, Term
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric, NoiseKind
from harness.registry.scale import Scale, Spread
from harness.report.results.seed_noise import least, pooled, with_declared
from harness.report.results.series import Series, SeriesKey
from harness.report.results.verdicts import ROUNDING

FEWEST_DF = 2
"""The degrees of freedom from which the measured noise of a sum counts; below, a bound from its cells does."""
Pool = tuple[object, ...]
"""What cells, or sums of cells, have in common if their noise is pooled."""


@dataclass(frozen=True)
class ContrastEstimate:
    """A contrast's value with its variances, each with its degrees of freedom.

    `rounding` bounds the error of cited values, which are printed with few digits.
    """

    value: float
    variances: tuple[tuple[float, float], ...]
    rounding: float = 0.0

    @property
    def standard_error(self) -> float:
        """The standard error."""
        return sqrt(sum(variance for variance, _ in self.variances))

    def half_width(self, level: float) -> float:
        """Return the half-width of the interval at a confidence level, such as 0.95.

        Variances of several pools are each widened by their own quantile. Welch's approximation would give shorter
        intervals, which err in 6 % of cases on a side with two seeds.
        """
        from scipy.stats import t  # slow to import

        noise = sqrt(sum(float(t.ppf((1 + level) / 2, df)) ** 2 * v for v, df in self.variances if v))
        return max(noise + self.rounding, ROUNDING)


class RunNoise(NamedTuple):
    """The part of one run in a contrast: its rows, its number of seeds, and its standard deviation for one seed.

    `next_seed` is the first seed of which not all of the rows' values are measured.
    """

    rows: tuple[str, ...]
    seeds: int
    next_seed: int
    sd: float

    @property
    def variance(self) -> float:
        """The variance of one seed, infinite where the square overflows."""
        return self.sd * self.sd


class DeclaredSpread(NamedTuple):
    """The spread between seeds that a scale declares for a metric and a kind of model, as it counts."""

    metric: Metric
    kind: str
    spread: Spread


class _Noise(NamedTuple):
    """The standard deviation of a part for one seed, its degrees of freedom, and the pool that they are from."""

    sd: float
    df: float
    pool: Pool


@dataclass(frozen=True)
class _Part:
    """The cells of one run in a contrast, with their series."""

    terms: tuple[Term, ...]
    series: tuple[Series, ...]

    @cached_property
    def sums(self) -> tuple[float, ...]:
        """The weighted sum of the cells, for each seed of which all are measured."""
        by_seed = [dict(zip(found.seeds, found.values, strict=True)) for found in self.series]
        weighted = [(term.weight, values) for term, values in zip(self.terms, by_seed, strict=True)]
        common = sorted(set.intersection(*map(set, by_seed)))
        return tuple(sum(weight * values[seed] for weight, values in weighted) for seed in common)

    @property
    def next_seed(self) -> int:
        """The first seed of which not all cells are measured."""
        common = set.intersection(*(set(found.seeds) for found in self.series))
        return next(seed for seed in count() if seed not in common)

    @property
    def size(self) -> float:
        """The value that a relative noise of the sum refers to; 1 if the noise is absolute."""
        if any(term.metric.noise != "relative" for term in self.terms):
            return 1.0
        return sum(abs(term.weight * found.mean) for term, found in zip(self.terms, self.series, strict=True))

    @property
    def pool(self) -> Pool:
        """The kind of model, the measure, and the cells with their weights, which may have the opposite sign."""
        cells = [(found.evaluation, t.metric.key, t.weight) for t, found in zip(self.terms, self.series, strict=True)]
        mirrored = [(evaluation, key, -weight) for evaluation, key, weight in cells]
        return self.series[0].kind, self.series[0].measure, tuple(min(sorted(cells), sorted(mirrored)))


class Estimator:
    """Estimates the contrasts of a claim, with the noise of its rows pooled within a kind of model.

    `series` are those of the paper's protocol. Rows without a run have the values that the paper cites.
    """

    def __init__(self, claim: Claim, exhibit: Exhibit, series: Mapping[SeriesKey, Series], scale: Scale) -> None:
        self._claim, self._exhibit, self._series, self._scale = claim, exhibit, series, scale
        cells: dict[tuple[Pool, NoiseKind], dict[tuple[str, str], Sequence[float]]] = defaultdict(dict)
        sums: dict[Pool, dict[str, Sequence[float]]] = defaultdict(dict)
        for term, found in self._measured_cells():
            pool = _pool_of_cell(term.metric, found), term.metric.noise
            cells[pool][found.runs[0], found.evaluation] = found.values
        for part in self._all_parts():
            if part.size:
                sums[part.pool][part.series[0].runs[0]] = [value / part.size for value in part.sums]
        self._cells = {pool: pooled(noise, groups.values()) for (pool, noise), groups in cells.items()}
        self._sums = {pool: pooled("absolute", groups.values()) for pool, groups in sums.items()}

    def estimate(self, contrast: Contrast) -> ContrastEstimate:
        """Return the estimate of a contrast whose cells are all known."""
        value, rounded = 0.0, 0.0
        for term in contrast.terms:
            row = self._exhibit.row(term.row)
            if row.run is None and (cited := self._exhibit.reported_value(row, term.metric)) is not None:
                value += term.weight * cited
                rounded += abs(term.weight) * half_a_unit(cited, term.metric)
        variances: dict[Pool, tuple[float, float]] = {}
        for part in self._parts(contrast):
            value += sum(part.sums) / len(part.sums)
            sd, df, pool = self._noise(part)
            variance, _ = variances.get(pool, (0.0, df))
            variances[pool] = variance + sd * sd / len(part.sums), df
        return ContrastEstimate(value, tuple(variances.values()), rounded)

    def noise(self, contrast: Contrast) -> list[RunNoise]:
        """Return the noise of each measured run in a contrast, without those that have none."""
        parts = ((part, self._noise(part).sd) for part in self._parts(contrast))
        return [
            RunNoise(tuple(dict.fromkeys(t.row for t in part.terms)), len(part.sums), part.next_seed, sd)
            for part, sd in parts
            if sd
        ]

    def rows_without_common_seed(self) -> list[str]:
        """Return the rows of one run in a contrast whose cells are measured with no seed in common."""
        return sorted({term.row for part in self._all_parts() if not part.sums for term in part.terms})

    def rows_without_spread(self) -> list[str]:
        """Return the rows of which one seed is measured and no spread is declared."""
        cells = self._measured_cells()
        return sorted({term.row for term, found in cells if self._noise_of_cell(term, found).sd == inf})

    def declared_alone(self) -> tuple[DeclaredSpread, ...]:
        """Return the spreads that are declared where no two seeds are measured, each once."""
        declared: dict[DeclaredSpread, None] = {}
        for term, found in self._measured_cells():
            spread = with_declared(None, self._declared(term.metric, found))
            if spread and not self._measured(term.metric, found):
                declared[DeclaredSpread(term.metric, found.kind, spread)] = None
        return tuple(declared)

    def _measured_cells(self) -> Iterator[tuple[Term, Series]]:
        for part in self._all_parts():
            yield from zip(part.terms, part.series, strict=True)

    def _all_parts(self) -> Iterator[_Part]:
        for contrast in self._claim.contrasts:
            yield from self._parts(contrast)

    def _parts(self, contrast: Contrast) -> list[_Part]:
        """Return the parts of the measured runs in a contrast."""
        runs: list[tuple[set[str], list[tuple[Term, Series]]]] = []
        for term in contrast.terms:
            found = self._series.get((term.row, term.metric.key, PAPER_PROTOCOL))
            if found is None or self._exhibit.row(term.row).run is None:
                continue
            same = [one for one in runs if one[0].intersection(found.runs)]
            runs = [one for one in runs if one not in same]
            ids = set(found.runs).union(*(ids for ids, _ in same))
            runs.append((ids, [*(cell for _, cells in same for cell in cells), (term, found)]))
        return [_Part(tuple(t for t, _ in cells), tuple(found for _, found in cells)) for _, cells in runs]

    def _noise(self, part: _Part) -> _Noise:
        cells = [self._noise_of_cell(term, found) for term, found in zip(part.terms, part.series, strict=True)]
        if len(cells) == 1:
            return cells[0]
        measured = self._sums.get(part.pool)
        if measured and measured.df >= FEWEST_DF:
            sd = measured.sd * part.size
            floors = (_floor(term, found, sd) for term, found in zip(part.terms, part.series, strict=True))
            return _Noise(max(sd, sqrt(sum(floor**2 for floor in floors))), measured.df, part.pool)
        # However the cells of a run depend on each other, the noise of their sum is at most the sum of their noises.
        return _Noise(sum(cell.sd for cell in cells), min(cell.df for cell in cells), part.pool)

    def _noise_of_cell(self, term: Term, found: Series) -> _Noise:
        metric, pool = term.metric, _pool_of_cell(term.metric, found)
        if metric.noise == "none":
            return _Noise(0.0, inf, pool)
        spread = with_declared(self._measured(metric, found), self._declared(metric, found))
        if spread is None:
            return _Noise(inf, inf, pool)
        sd = abs(term.weight) * spread.sd * (abs(found.mean) if metric.noise == "relative" else 1.0)
        return _Noise(max(sd, _floor(term, found, sd)), spread.df, pool)

    def _measured(self, metric: Metric, found: Series) -> Spread | None:
        return self._cells[_pool_of_cell(metric, found)]

    def _declared(self, metric: Metric, found: Series) -> Spread | None:
        return self._scale.spread.get((found.data, metric.key, found.kind)) if metric.noise != "none" else None


def half_a_unit(value: float, metric: Metric) -> float:
    """Return half a unit of the last digit of a value as the paper prints it."""
    exponent = Decimal(metric.reported(value)).as_tuple().exponent
    return 0.5 * 10.0 ** min(int(exponent), 0)


def _pool_of_cell(metric: Metric, found: Series) -> Pool:
    return found.kind, found.measure, metric.key


def _floor(term: Term, found: Series, sd: float) -> float:
    return abs(term.weight) * least(term.metric, found.items, sd)
