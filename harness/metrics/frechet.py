"""The Fréchet distance between Gaussians fitted to two sets of features (Heusel et al. 2017, Eq. 6).

Features are float32, all further arithmetic float64, on one thread of BLAS. Moments of blocks or ranks can be added.
However rows are split, the distance agrees to a relative 1e-9 (measured with 2,048 features: 4e-10 with fewer rows than
features, 1e-15 with more).
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dsygst

from harness.metrics.threads import one_blas_thread, side_by_side

ROWS = 1000
"""Rows converted to float64 at a time."""

TOLERANCE = 1e-9
"""The largest difference between the two forms of the distance, relative to tr(A) + tr(B)."""
CAUTION = 8
"""The safety factor on the estimated rounding error."""


@dataclass(frozen=True)
class Moments:
    """The number of rows, their mean `(d,)`, and their scatter matrix `(d, d)` about the mean."""

    n: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The unbiased covariance `(d, d)`. Needs at least 2 rows."""
        return self.scatter / (self.n - 1)

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of the union of both sets of rows (Chan, Golub, LeVeque 1979)."""
        n, shift = self.n + other.n, other.mean - self.mean
        between = np.outer(shift, shift)
        between *= self.n * other.n / n
        scatter = self.scatter + other.scatter
        scatter += between
        return Moments(n, self.mean + shift * (other.n / n), scatter)


def moments(features: NDArray[np.floating]) -> Moments:
    """Return the moments of features `(n, d)`, n >= 1, which may be memory-mapped."""
    starts = range(0, len(features), ROWS)
    with one_blas_thread():
        return reduce(Moments.__add__, side_by_side(lambda start: _of_block(features[start : start + ROWS]), starts))


def _of_block(rows: NDArray[np.floating]) -> Moments:
    wide = rows.astype(np.float64)
    mean = wide.mean(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        wide -= mean
        return Moments(len(wide), mean, wide.T @ wide)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return |mean difference|^2 + tr(A + B - 2 (AB)^(1/2)), clipped at 0 (Heusel et al. Eq. 6).

    NaN if the moments are not finite, or so large that AB overflows.
    """
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    with np.errstate(over="ignore"):
        if not np.isfinite(traces**2):
            return float("nan")
    with one_blas_thread():
        enough = min(a.n, b.n) > len(a.mean)
        cross = _by_cholesky(a.covariance, b.covariance, TOLERANCE * traces) if enough else None
        if cross is None:
            cross = _by_eigenvectors(a.covariance, b.covariance)
    trace = traces - 2 * np.sqrt(cross.clip(min=0)).sum()
    return max(float(((a.mean - b.mean) ** 2).sum() + trace), 0.0)


def _by_cholesky(
    first: NDArray[np.float64], second: NDArray[np.float64], tolerance: float
) -> NDArray[np.float64] | None:
    """Return the eigenvalues of AB as those of L^T B L, where A = L L^T, or `None` if rounding may matter.

    A and B are overwritten. Rounding errors are independent: in one direction they are about the precision times the
    norms of A and B, over sqrt(d). They move an eigenvalue x by as much, and 2 sqrt(x) by that over sqrt(x). Without
    full rank the smallest eigenvalues are noise, and these shifts exceed the tolerance.
    """
    noise = np.finfo(np.float64).eps * np.linalg.norm(first) * np.linalg.norm(second) / np.sqrt(len(first))
    # Both are symmetric: .T is the same matrix in LAPACK's memory order, and need not be copied.
    factor, failed = dpotrf(first.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        return None
    cross = np.linalg.eigvalsh(dsygst(second.T, factor, itype=2, lower=1, overwrite_a=1)[0])
    if cross[0] <= 0:
        return None
    return cross if CAUTION * noise * np.linalg.norm(1 / np.sqrt(cross)) <= tolerance else None


def _by_eigenvectors(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues of AB as those of A^(1/2) B A^(1/2), which are real even without full rank."""
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return np.linalg.eigvalsh(root @ second @ root)
