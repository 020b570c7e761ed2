"""The Fréchet distance between two sets of features, each seen as a Gaussian (Heusel et al. 2017, Eq. 6)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """The mean `(d,)` and the unbiased covariance `(d, d)` of features, in float64, over `n` rows."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n: int


def moments(features: NDArray[np.floating]) -> Moments:
    """Return the moments of features `(n, d)`, n at least 2."""
    wide = features.astype(np.float64)
    return Moments(wide.mean(axis=0), np.atleast_2d(np.cov(wide, rowvar=False)), len(wide))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return |mean difference|^2 + tr(A + B - 2 (AB)^(1/2)), which is never negative.

    The trace of (AB)^(1/2) is that of the symmetric (A^(1/2) B A^(1/2))^(1/2), whose eigenvalues are real also when
    A or B is rank-deficient.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(cross.clip(min=0)).sum()
    return max(float(((a.mean - b.mean) ** 2).sum() + trace), 0.0)
