"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

Every image has a closed ball whose radius is the distance to its k-th nearest neighbour in its own set. Distances are
Euclidean, in float64, computed at most `BLOCK_ELEMENTS` at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ELEMENTS = 2**23


@dataclass(frozen=True)
class Prdc:
    """The four metrics, in [0, 1] except density, which can be larger.

    Precision: the fraction of generated images inside the ball of a real image. Recall: the fraction of real images
    inside the ball of a generated image. Density: the mean number of real balls around a generated image, over k.
    Coverage: the fraction of real images with a generated image in their ball.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real: NDArray[np.floating], generated: NDArray[np.floating], k: int) -> Prdc:
    """Return the four metrics of features `(n, d)` and `(m, d)`.

    Raises `ValueError` if either has at most k rows.
    """
    if min(len(real), len(generated)) <= k:
        raise ValueError(f"k={k} nearest neighbours need more than {k} real and more than {k} generated images")
    a, b = real.astype(np.float64), generated.astype(np.float64)
    real_radii, generated_radii = _squared_radii(a, k), _squared_radii(b, k)
    holding = np.zeros(len(generated), dtype=np.int64)
    recalled = covered = 0
    for rows, distances in _squared_distances(a, b):
        inside = distances <= real_radii[rows, None]
        holding += inside.sum(axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int((distances <= generated_radii).any(axis=1).sum())
    return Prdc(
        precision=float((holding > 0).mean()),
        recall=recalled / len(real),
        density=float(holding.mean() / k),
        coverage=covered / len(real),
    )


def _squared_radii(points: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the squared distance of every point to its k-th nearest neighbour, excluding itself."""
    radii = np.empty(len(points))
    for rows, distances in _squared_distances(points, points):
        distances[np.arange(len(distances)), np.arange(len(points))[rows]] = -1.0  # the point itself sorts first
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii


def _squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield blocks of rows of `a` with their squared distances to every row of `b`."""
    squares = (b**2).sum(axis=1)
    step = max(1, BLOCK_ELEMENTS // len(b))
    for start in range(0, len(a), step):
        part = a[start : start + step]
        distances = (part**2).sum(axis=1)[:, None] + squares - 2 * (part @ b.T)
        yield slice(start, start + len(part)), distances.clip(min=0)
