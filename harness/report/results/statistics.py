"""The statistics of a cell over seeds: spread, interval and test, each called by its exact name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

CONFIDENCE = 0.95
FEWEST = 3
"""Fewer seeds than this have no interval and no test: with two, the interval is six times as wide as their distance."""


@dataclass(frozen=True)
class Statistics:
    """What seeds say of a mean: its 95 % interval and a test against the reported value, None where there is none.

    `test` names the test, or says why there is none.
    """

    interval: tuple[float, float] | None
    p_value: float | None
    test: str

    @property
    def interval_is(self) -> str:
        """What the interval is called."""
        return "95 % Student t interval of the mean over seeds" if self.interval else ""


def describe(values: Sequence[float], reported: float | None) -> Statistics:
    """Return the statistics of a cell's values, one a seed; `reported` is None where nothing may be compared."""
    number = len(values)
    if not all(map(isfinite, values)):
        return Statistics(None, None, "not all values are finite: no interval and no test")
    if number < FEWEST:
        return Statistics(None, None, f"{'one seed' if number == 1 else f'{number} seeds'}: no interval and no test")
    if max(values) == min(values):
        return Statistics((values[0], values[0]), None, f"all {number} seeds agree to the bit: no test")
    from scipy.stats import ttest_1samp  # it takes its time, and one seed does without

    found = ttest_1samp(values, sum(values) / number if reported is None else reported)
    low, high = found.confidence_interval(CONFIDENCE)
    if reported is None:
        return Statistics((float(low), float(high)), None, "nothing to test against")
    name = f"two-sided one-sample t-test of the mean against the reported value, df = {number - 1}"
    return Statistics((float(low), float(high)), float(found.pvalue), name)
