"""Whether two sets of seeds differ: a t-test with the noise pooled over like cells, corrected for multiple tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, isnan
from statistics import fmean, stdev

from scipy.stats import t as student

ALPHA = 0.05
TEST = (
    "two-sided t-test with the noise between seeds pooled over the cells of a metric, dataset and kind of model; equal "
    f"runs of both sides are pairs; p-values corrected by Holm over the cells tested; significant below {ALPHA:g}"
)


class Status(StrEnum):
    """The status of a compared cell, the most urgent first."""

    NOT_FINITE = "not finite"
    DIFFERS = "differs"
    NO_TEST = "noise unknown: no test"
    NOT_SIGNIFICANT = "not significant"
    ONLY_A = "only in A"
    ONLY_B = "only in B"
    PARTLY_IDENTICAL = "identical seeds, not all"
    IDENTICAL = "identical bits"


@dataclass(frozen=True)
class DifferenceTest:
    """Student's t-test of a difference: its standard error, degrees of freedom, and p-value before any correction."""

    difference: float
    standard_error: float
    df: float

    @property
    def t(self) -> float:
        """The statistic."""
        return self.difference / self.standard_error

    @property
    def p_value(self) -> float:
        """The two-sided p-value."""
        return 2 * float(student.sf(abs(self.t), self.df))

    @property
    def half_width(self) -> float:
        """The half-width of the interval of the difference at 1 - `ALPHA`."""
        return self.detectable(1)

    def detectable(self, tests: int) -> float:
        """Return the least difference that is significant by itself among this many tests."""
        return float(student.ppf(1 - ALPHA / (2 * tests), self.df)) * self.standard_error


@dataclass(frozen=True)
class SeedValues:
    """The values of a cell by seed."""

    by_seed: Mapping[int, float]

    @property
    def n(self) -> int:
        """The number of seeds."""
        return len(self.by_seed)

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return fmean(self.by_seed.values())

    @property
    def sd(self) -> float | None:
        """The standard deviation between seeds (ddof 1), None for one seed or if a value is not finite."""
        if self.n < 2 or not self.is_finite:
            return None
        return stdev(self.by_seed.values())

    @property
    def is_finite(self) -> bool:
        """Whether all values are finite."""
        return all(map(isfinite, self.by_seed.values()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down method (1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def status(a: SeedValues | None, b: SeedValues | None, corrected: float | None, exact: bool) -> Status | None:
    """Return the status of a cell, None if neither side has a value.

    `corrected` is the p-value of its test, if there was one. An `exact` quantity has no noise: any difference counts.
    """
    if a is None or b is None:
        return Status.ONLY_A if a else Status.ONLY_B if b else None
    common = a.by_seed.keys() & b.by_seed.keys()
    if common and all(_same(a.by_seed[seed], b.by_seed[seed]) for seed in common):
        return Status.IDENTICAL if a.n == b.n == len(common) else Status.PARTLY_IDENTICAL
    if not (a.is_finite and b.is_finite):
        return Status.NOT_FINITE
    if exact:
        return Status.DIFFERS if a.mean != b.mean else Status.NOT_SIGNIFICANT
    if corrected is None:
        return Status.NO_TEST
    return Status.DIFFERS if corrected < ALPHA else Status.NOT_SIGNIFICANT


def _same(one: float, other: float) -> bool:
    return one == other or (isnan(one) and isnan(other))
