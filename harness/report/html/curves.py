"""Training curves for small plots: few points, few digits."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

MOST_POINTS = 60
MOST_SERIES = 8
ACROSS = ("epoch", "step")
"""The x axis is the first of these that the points have."""


def thinned(points: Iterable[Any]) -> dict[str, Any] | None:
    """Return a curve's series by name at evenly spaced points, the last included; None if there are no points.

    A value that is not a finite number is None: a gap in the curve.
    """
    known = [point for point in points if isinstance(point, dict)]
    across = next((name for name in ACROSS if known and name in known[-1]), None)
    if across is None:
        return None
    names = [name for name in dict.fromkeys(name for point in known for name in point) if name not in ACROSS]
    chosen = _spread(known, MOST_POINTS)
    return {
        "across": across,
        "of": len(known),
        "x": [_number(point.get(across)) for point in chosen],
        "series": {str(name): [_number(point.get(name)) for point in chosen] for name in names[:MOST_SERIES]},
    }


def _spread(points: list[Any], most: int) -> list[Any]:
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(f"{value:.4g}")
