"""The distance of every point to its k-th nearest neighbour in its own set."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics.distances import (
    Points,
    blocks,
    distances_of_pairs,
    float32_block,
    float32_errors,
    float64_block,
)
from harness.metrics.threads import side_by_side

SPARE = 8
"""The number of neighbours that are kept beyond the k-th, for near ties."""
STRIP_ROWS, STRIP_ELEMENTS = 400, 2**23
"""The largest number of rows, and of distances, that a thread computes at a time."""

Nearest = tuple[NDArray[np.float32], NDArray[np.intp]]
"""Scaled squared distances `(n, kept)` of the nearest points in any order, the point itself among them, and their
indices."""


class Radii:
    """Squared radii `(n,)` of balls that reach to the k-th nearest neighbour.

    `values` differ from `exact` by at most `errors`.
    """

    def __init__(self, points: Points, k: int) -> None:
        self._points, self._k = points, k
        self._exact = np.full(len(points), np.nan)
        self._known = np.zeros(len(points), dtype=bool)
        self.values, self.errors = self._bounded()

    def exact(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the squared radii in float64 `(n,)`, in which at least the chosen ones are valid. For one thread."""
        for rows in blocks(self._points, self._points):
            if (chosen[rows] & ~self._known[rows]).any():
                distances = float64_block(self._points, self._points, rows)
                here = np.arange(len(distances))
                distances[here, here + rows.start] = -1.0  # the point itself sorts first
                distances.partition(self._k, axis=1)
                self._exact[rows], self._known[rows] = distances[:, self._k], True
        return self._exact

    def _bounded(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return radii and errors, in float64 unless too many points may be the k-th neighbour."""
        points, k = self._points, self._k
        found, indices = _nearest(points, k + 1 + SPARE)
        errors = float32_errors(points, points)
        kth = np.partition(found, k, axis=1)[:, k].astype(np.float64)
        low, high = (kth - 2 * errors)[:, None], (kth + 2 * errors)[:, None]
        complete = found.max(axis=1) > high[:, 0]
        i, place = np.nonzero(complete[:, None] & (found >= low) & (found <= high))
        near = np.where(found < low, -np.inf, np.inf)
        near[i, place], pair_errors = distances_of_pairs(points, points, i, indices[i, place])
        values, errors = kth / points.scale**2, errors / points.scale**2
        values[complete], errors[complete] = np.partition(near, k, axis=1)[complete, k], 0.0
        np.maximum.at(errors, i, pair_errors)
        return values, errors


def _nearest(points: Points, kept: int) -> Nearest:
    """Return the nearest points of every point. Each pair is computed once, for the sake of both."""
    n = len(points)
    found, indices = np.full((n, kept), np.inf, dtype=np.float32), np.zeros((n, kept), dtype=np.intp)
    step = max(1, min(STRIP_ROWS, STRIP_ELEMENTS // n))

    def strip(start: int) -> tuple[slice, Nearest, slice, Nearest]:
        rows, later = slice(start, min(start + step, n)), slice(min(start + step, n), n)
        block = float32_block(points, points, rows, slice(start, n))
        across = np.ascontiguousarray(block[:, len(block) :].T)
        return rows, _smallest(block, start, kept), later, _smallest(across, start, kept)

    for rows, of_rows, later, of_later in side_by_side(strip, range(0, n, step)):
        for part, (more, others) in ((rows, of_rows), (later, of_later)):
            both = np.concatenate([found[part], more], axis=1), np.concatenate([indices[part], others], axis=1)
            order = np.argpartition(both[0], kept - 1, axis=1)[:, :kept]
            found[part], indices[part] = (np.take_along_axis(values, order, axis=1) for values in both)
    return found, indices


def _smallest(block: NDArray[np.float32], first: int, kept: int) -> Nearest:
    """Return the smallest entries of each row, with their columns counted from `first`."""
    count = min(kept, block.shape[1])
    bounds = np.partition(block, count - 1, axis=1)[:, count - 1, None]
    places = np.flatnonzero(block <= bounds)
    if len(places) == count * len(block):
        columns = (places % block.shape[1]).reshape(-1, count)
    else:  # ties; NumPy's argpartition takes twice as long as all of the above
        columns = np.argpartition(block, count - 1, axis=1)[:, :count]
    return np.take_along_axis(block, columns, axis=1), columns + first
