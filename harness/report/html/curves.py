"""Training curves at the size of a small drawing: few points, few digits."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

MOST_POINTS = 60
MOST_SERIES = 8
ACROSS = ("epoch", "step")
"""What stands on the horizontal axis: the first of these that the points have."""


def thinned(points: Iterable[Any]) -> dict[str, Any] | None:
    """Return the series of a curve by name, at evenly spaced points of which the last is the last; None without any.

    A value that is not finite, or no number, is None: a gap in the curve.
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
