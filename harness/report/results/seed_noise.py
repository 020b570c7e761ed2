"""The noise between seeds: standard deviations pooled over rows, and with the one that a scale declares."""

from collections.abc import Iterable, Sequence
from math import hypot, isfinite, sqrt
from statistics import stdev

import numpy as np

from harness.registry.metrics import Metric, NoiseKind
from harness.registry.scale import Spread

MOST_DECLARED_DF = 8
"""A declaration counts as this many degrees of freedom at most, so that three to five seeds can outvote it."""
OUTVOTED = 0.05
"""The level of the F-test by which measurements that are noisier than declared drop the declaration."""
LARGEST_RATIO = 1e150
"""The square of a larger ratio may overflow."""


def pooled(noise: NoiseKind, groups: Iterable[Sequence[float]]) -> Spread | None:
    """Return the standard deviation between seeds, pooled over groups of values; None if no group has two seeds.

    Relative noise is that of values divided by the mean of their group. Groups with values that are not finite, or with
    a mean of zero that nothing can be relative to, are ignored. Values whose squares overflow have no known noise.
    """
    df, squares = 0, 0.0
    for values in map(np.asarray, groups):
        with np.errstate(over="ignore", invalid="ignore"):
            unit = abs(float(np.mean(values))) if noise == "relative" and len(values) else 1.0
            if len(values) > 1 and np.isfinite(values).all() and unit:
                df += len(values) - 1
                squares += float((len(values) - 1) * (values.std(ddof=1) / unit) ** 2)
    return Spread(sqrt(squares / df), df) if df and isfinite(squares) else None


def spread_of(values: Sequence[float]) -> Spread | None:
    """Return the standard deviation of the finite values of one cell; None with one value, or if it overflows."""
    try:
        return Spread(stdev(values), len(values) - 1) if len(values) > 1 else None
    except OverflowError:
        return None


def with_declared(measured: Spread | None, declared: Spread | None) -> Spread | None:
    """Pool a measured spread with a declared one.

    The declared one has `MOST_DECLARED_DF` degrees of freedom at most. It is dropped if the measured one is larger by
    an F-test, since a declaration that is too small would decide claims wrongly.
    """
    if declared is None:
        return measured
    capped = Spread(declared.sd, min(declared.df, MOST_DECLARED_DF))
    if measured is None:
        return capped
    if is_larger(measured, declared):
        return measured
    df = measured.df + capped.df
    return Spread(hypot(sqrt(measured.df / df) * measured.sd, sqrt(capped.df / df) * capped.sd), df)


def rounding(metric: Metric, items: int) -> float:
    """Return the standard deviation of rounding a proportion of some items to whole items; 0 for other metrics."""
    return 100 / items / sqrt(12) if metric.proportion and items else 0.0


def least(metric: Metric, items: int, sd: float) -> float:
    """Return the least standard deviation of a value: of rounding to whole items or, without any noise, as printed."""
    return rounding(metric, items) or (0.0 if sd else 10.0**-metric.decimals / sqrt(12))


def is_larger(measured: Spread, declared: Spread) -> bool:
    """Return whether a spread is larger than another by an F-test at `OUTVOTED`."""
    if measured.sd <= declared.sd or declared.sd == 0:
        return measured.sd > declared.sd
    from scipy.stats import f  # slow to import

    return bool(f.sf(min(measured.sd / declared.sd, LARGEST_RATIO) ** 2, measured.df, declared.df) < OUTVOTED)
