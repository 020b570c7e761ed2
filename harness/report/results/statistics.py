"""The statistics of a cell over seeds: intervals and test, each with its exact name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import fmean

from harness.registry.scale import Spread
from harness.report.results.seed_noise import spread_of

CONFIDENCE = 0.95
ALPHA = 0.05
EQUIVALENCE = 0.90
"""The level of the interval that lies within a tolerance if both one-sided tests at 5 % reject a larger difference."""
FEWEST = 3
"""With fewer seeds the mean has no interval of its own: with two, its half-width is six times their difference."""


@dataclass(frozen=True)
class Statistics:
    """The 95 % intervals of a cell and the test of the reported value, None where there is none.

    `interval` is that of the mean over seeds, `prediction` that of a reported value with the same distribution. `test`
    names the test, or says why there is none.
    """

    interval: tuple[float, float] | None
    p_value: float | None
    test: str
    prediction: tuple[float, float] | None = None

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


@dataclass(frozen=True)
class Prediction:
    """The difference between a mean and a reported value, as it varies if both are of the same distribution.

    `sd` is the standard deviation between seeds with its degrees of freedom, 0 for values that do not vary; `seeds`
    and `printed_seeds` are the numbers of seeds of both.
    """

    sd: float
    df: float
    seeds: int
    printed_seeds: int = 1

    @property
    def error(self) -> float:
        """The standard error of the difference."""
        return self.sd * sqrt(1 / self.seeds + 1 / self.printed_seeds)

    def half_width(self, level: float = CONFIDENCE) -> float:
        """Return the half-width of the prediction interval at a confidence level."""
        return _quantile(level, self.df) * self.error

    def p_value(self, difference: float) -> float:
        """Return the probability of a difference that is at least as large."""
        from scipy.special import stdtr  # slow to import

        return 2 * float(stdtr(self.df, -abs(difference) / self.error)) if self.error else float(difference == 0)

    def chance_of_fail(self, tolerance: float) -> float:
        """Return the probability that the difference exceeds the tolerance and the 95 % prediction interval."""
        return min(self.p_value(tolerance), ALPHA) if self.sd else 0.0

    def is_equivalent(self, difference: float, tolerance: float) -> bool:
        """Return whether the 90 % interval of the mean lies within the tolerance; it has none if nothing varies."""
        half_width = _quantile(EQUIVALENCE, self.df) * self.sd / sqrt(self.seeds)
        return bool(self.sd) and abs(difference) + half_width <= tolerance


EXACT = Prediction(0.0, 1, 1)
"""The prediction for values that do not vary between seeds."""


def predict(seeds: int, reported: PrintedValue, spread: Spread | None) -> Prediction | None:
    """Return the prediction of a reported value by the mean over some seeds; None if no spread is known.

    The spread is the larger of ours and the printed one. Without ours it is the printed one.
    """
    if spread is not None:
        return Prediction(max(spread.sd, reported.sd), spread.df, seeds, reported.seeds)
    if reported.sd and reported.seeds > 1:
        return Prediction(reported.sd, reported.seeds - 1, seeds, reported.seeds)
    return None


def describe(
    values: Sequence[float], reported: PrintedValue | None, prediction: Prediction | None = None
) -> Statistics:
    """Return the statistics of a cell's values, one per seed; `reported` is None if it is not comparable.

    The reported value has noise of its own. The test therefore asks whether it could be that of as many more seeds as
    it is from. Without a `prediction`, the spread is that of the values alone.
    """
    number = len(values)
    if not all(map(isfinite, values)):
        return Statistics(None, None, "not all values are finite: no interval and no test")
    if not isfinite(sum(map(abs, values))):
        return Statistics(None, None, "the sum of the values overflows: no interval and no test")
    mean, own = fmean(values), spread_of(values)
    half_width = _quantile(CONFIDENCE, own.df) * own.sd / sqrt(number) if own and number >= FEWEST else None
    interval = None if half_width is None else (mean - half_width, mean + half_width)
    none = f"{_seeds(number)}: no interval and no test"
    if own and max(values) == min(values):
        interval = (values[0], values[0]) if interval else None
        none = f"all {number} seeds are bit-identical: no test"
    if reported is None:
        return Statistics(interval, None, "nothing to test against" if interval and own and own.sd else none)
    prediction = prediction or predict(number, reported, own)
    if prediction is None or not prediction.sd:
        return Statistics(interval, None, none)
    more = "one more seed" if reported.seeds == 1 else f"the mean of {reported.seeds} more seeds"
    test = f"two-sided t-test of the reported value as {more}, df = {prediction.df:g}"
    predicted = mean - prediction.half_width(), mean + prediction.half_width()
    return Statistics(interval, prediction.p_value(mean - reported.value), test, predicted)


def _seeds(number: int) -> str:
    return "one seed" if number == 1 else f"{number} seeds"


def _quantile(level: float, df: float) -> float:
    """Return the quantile of Student's t that bounds a two-sided interval."""
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(df, (1 + level) / 2))
