"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).

Every image has a closed ball whose radius is the distance to its k-th nearest neighbour in its own set. Distances are
Euclidean, in float64. Float32 decides most of the comparisons: those with a difference beyond its errors. The others
are repeated pair by pair, and ties as whole blocks in float64, so that all values are those of float64.
"""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from harness.metrics.distances import (
    Points,
    blocks,
    comparable,
    distances_of_pairs,
    float32_block,
    float32_errors,
    float64_block,
)
from harness.metrics.radii import Radii
from harness.metrics.threads import one_blas_thread, side_by_side

PAIRS = 2**16
"""If more pairs of a block are near ties, the whole block is computed in float64."""


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
    with one_blas_thread():
        a, b = comparable(real, generated)
        comparison = _Comparison(a, b, (Radii(a, k), Radii(b, k)), (float32_errors(a, b), float32_errors(b, a)))
        holding, covered, recalled = (sum(counts) for counts in zip(*side_by_side(comparison.count, blocks(a, b))))
    return Prdc(
        precision=float((holding > 0).mean()),
        recall=recalled / len(real),
        density=float(holding.mean() / k),
        coverage=covered / len(real),
    )


@dataclass(frozen=True)
class _Comparison:
    """The distances of real (axis 0) to generated images (axis 1), and the balls around both."""

    real: Points
    generated: Points
    radii: tuple[Radii, Radii]
    errors: tuple[NDArray[np.float64], NDArray[np.float64]]
    lock: Lock = field(default_factory=Lock)

    def count(self, rows: slice) -> tuple[NDArray[np.int64], int, int]:
        """Return the balls of real `rows` around each generated image, and how many rows are covered and recalled."""
        block = float32_block(self.real, self.generated, rows, slice(None))
        members = [self._compare(block, rows, axis) for axis in (0, 1)]
        del block
        if any(tied.any() for _, tied in members):
            with self.lock:  # blocks in float64 are large
                self._decide(members, rows)
        (inside, _), (held, _) = members
        return inside.sum(axis=0), int(inside.any(axis=1).sum()), int(held.any(axis=1).sum())

    def _compare(
        self, block: NDArray[np.float32], rows: slice, axis: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which pairs of a block in float32 are inside the balls of an axis, and which are too close to tell."""
        radii, owners, area = self.radii[axis], self._owners(rows, axis), self.real.scale**2
        squared, margin = area * radii.values[owners], area * radii.errors[owners] + self.errors[axis][owners]
        inside = block <= np.nextafter((squared - margin).astype(np.float32), np.float32(-np.inf))
        near = block <= np.nextafter((squared + margin).astype(np.float32), np.float32(np.inf))
        near ^= inside
        if np.count_nonzero(near) <= PAIRS:
            i, j = np.divmod(np.flatnonzero(near), near.shape[1])
            owner = np.broadcast_to(owners, near.shape)[i, j]
            distances, errors = distances_of_pairs(self.real, self.generated, i + rows.start, j)
            excess = distances - radii.values[owner]
            inside[i, j] = excess <= -(errors + radii.errors[owner])
            near[i, j] = ~(np.abs(excess) > errors + radii.errors[owner])
        return inside, near

    def _decide(self, members: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]], rows: slice) -> None:
        """Decide ties of a block in float64, in place."""
        exact = float64_block(self.real, self.generated, rows)
        for axis, (inside, tied) in enumerate(members):
            owners = self._owners(rows, axis)
            chosen = np.zeros(len(self.radii[axis].values), dtype=bool)
            chosen[owners] = tied.any(axis=1 - axis, keepdims=True)
            np.copyto(inside, exact <= self.radii[axis].exact(chosen)[owners], where=tied)

    def _owners(self, rows: slice, axis: int) -> NDArray[np.intp]:
        """Return the indices of the balls of an axis, in the shape in which they meet a block."""
        return np.arange(rows.start, rows.stop)[:, None] if axis == 0 else np.arange(len(self.generated))[None]
