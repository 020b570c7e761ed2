"""The statistics of a cell over seeds: interval and test, each with its exact name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

CONFIDENCE = 0.95
FEWEST = 3
"""With fewer seeds there is no interval and no test: with two, its half-width would be six times their difference."""


@dataclass(frozen=True)
class Statistics:
    """The 95 % interval of a mean and its test against the reported value, None where there is none.

    `test` names the test, or says why there is none.
    """

    interval: tuple[float, float] | None
    p_value: float | None
    test: str

    @property
    def interval_is(self) -> str:
        """The name of the interval."""
        return "95 % Student t interval of the mean over seeds" if self.interval else ""


def describe(values: Sequence[float], reported: float | None) -> Statistics:
    """Return the statistics of a cell's values, one per seed; `reported` is None if it is not comparable."""
    number = len(values)
    if not all(map(isfinite, values)):
        return Statistics(None, None, "not all values are finite: no interval and no test")
    if number < FEWEST:
        return Statistics(None, None, f"{'one seed' if number == 1 else f'{number} seeds'}: no interval and no test")
    if max(values) == min(values):
        return Statistics((values[0], values[0]), None, f"all {number} seeds are bit-identical: no test")
    from scipy.stats import ttest_1samp  # slow to import, and not needed for one seed

    found = ttest_1samp(values, sum(values) / number if reported is None else reported)
    low, high = found.confidence_interval(CONFIDENCE)
    if reported is None:
        return Statistics((float(low), float(high)), None, "nothing to test against")
    name = f"two-sided one-sample t-test of the mean against the reported value, df = {number - 1}"
    return Statistics((float(low), float(high)), float(found.pvalue), name)
