"""The statistics of a cell over seeds: interval and test, each with its exact name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import fmean, stdev

CONFIDENCE = 0.95
FEWEST = 3
"""With fewer seeds there is no interval and no test: with two, its half-width would be six times their difference."""


@dataclass(frozen=True)
class Statistics:
    """The 95 % interval of a mean and the test of the reported value, None where there is none.

    `test` names the test, or says why there is none.
    """

    interval: tuple[float, float] | None
    p_value: float | None
    test: str

    @property
    def interval_is(self) -> str:
        """The name of the interval."""
        return "95 % Student t interval of the mean over seeds" if self.interval else ""


@dataclass(frozen=True)
class PrintedValue:
    """A value that a paper prints: of one seed, or the mean over `seeds` with the standard deviation `sd`."""

    value: float
    sd: float = 0.0
    seeds: int = 1


def describe(values: Sequence[float], reported: PrintedValue | None) -> Statistics:
    """Return the statistics of a cell's values, one per seed; `reported` is None if it is not comparable.

    The reported value has noise of its own. The test therefore asks whether it could be that of as many more seeds as
    it is from; the spread is the larger of the measured and the printed one.
    """
    number = len(values)
    if not all(map(isfinite, values)):
        return Statistics(None, None, "not all values are finite: no interval and no test")
    if number < FEWEST:
        return Statistics(None, None, f"{'one seed' if number == 1 else f'{number} seeds'}: no interval and no test")
    if max(values) == min(values):
        return Statistics((values[0], values[0]), None, f"all {number} seeds are bit-identical: no test")
    from scipy.stats import t  # slow to import, and not needed for one seed

    mean, sd = fmean(values), stdev(values)
    half_width = float(t.ppf((1 + CONFIDENCE) / 2, number - 1)) * sd / sqrt(number)
    interval = mean - half_width, mean + half_width
    if reported is None:
        return Statistics(interval, None, "nothing to test against")
    error = max(sd, reported.sd) * sqrt(1 / number + 1 / reported.seeds)
    p_value = 2 * float(t.sf(abs(mean - reported.value) / error, number - 1))
    more = "one more seed" if reported.seeds == 1 else f"the mean of {reported.seeds} more seeds"
    return Statistics(interval, p_value, f"two-sided t-test of the reported value as {more}, df = {number - 1}")
