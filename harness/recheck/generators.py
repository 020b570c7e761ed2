"""Recomputations of evaluations of generative models: distances, scores, nearest neighbours, likelihood."""

from collections.abc import Mapping
from functools import cache, partial

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from harness.config.evaluations import Generation, Likelihood
from harness.recheck.libraries import quietly
from harness.recheck.recomputation import FLOAT64, LOOSE, NotRecomputed, Recomputation, Recomputed, StoredArrays
from harness.torchvision_shim import make_torchvision_importable

SHUFFLED = 2020
"""The seed with which the samples are shuffled before they are split, and the reference images are chosen."""
BOUNDARY = 4e-12
"""The error of a squared distance, relative to the largest squared length of a point, with thousands of features."""
NEIGHBOURS = ("precision", "recall", "density", "coverage")
Gaussian = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A mean `(d,)` and a covariance `(d, d)`."""
MATRICES = 4
"""The number of matrices of distances that prdc holds at a time, at most."""


def distance_by_pytorch_fid(evaluation: Generation, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the Fréchet distance by the square root of the product of the covariances."""
    make_torchvision_importable()
    from pytorch_fid.fid_score import calculate_frechet_distance

    a, b, n = _gaussians(stored)
    if _overflows(a[1], b[1]):
        return {"frechet_distance": Recomputed(np.nan, n)}
    with quietly() as printed:
        distance = calculate_frechet_distance(*a, *b)
    if printed.getvalue():  # the distance of other covariances
        raise NotRecomputed("pytorch-fid adds 1e-6 to the diagonal of such singular covariances")
    return {"frechet_distance": Recomputed(float(distance), n, partial(_rounding, a[1], b[1]))}


def distance_by_torch_fidelity(evaluation: Generation, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the Fréchet distance by the eigenvalues of the product of the covariances."""
    make_torchvision_importable()
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    a, b, n = _gaussians(stored)
    if _overflows(a[1], b[1]):
        return {"frechet_distance": Recomputed(np.nan, n)}
    statistics = ({"mu": mean, "sigma": covariance} for mean, covariance in (a, b))
    with quietly():
        distance = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    return {"frechet_distance": Recomputed(distance, n, partial(_rounding, a[1], b[1]))}


def class_score(evaluation: Generation, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the Inception Score, or that of another classifier, and its standard deviation over the splits."""
    make_torchvision_importable()
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = np.array(stored.array("sample_logits"))
    found = isc_features_to_metric(torch.from_numpy(logits), evaluation.score_splits, shuffle=True, rng_seed=SHUFFLED)
    score, spread = found["inception_score_mean"], found["inception_score_std"]
    if np.isnan(score) and np.isfinite(logits).all():  # 0 log 0
        raise NotRecomputed("torch-fidelity returns NaN where a class probability underflows in all samples of a split")
    return {
        "class_score": Recomputed(score, len(logits)),
        "class_score_sd_over_splits": Recomputed(spread, rounding=lambda: FLOAT64 * score),
    }


def neighbours(evaluation: Generation, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return precision, recall, density and coverage."""
    from prdc import compute_prdc

    features, whole = _wide(stored.array("features")), stored.reference()
    # The record uses at most as many reference images as samples, in the order of the split.
    chosen = np.random.RandomState(SHUFFLED).permutation(len(whole))[: len(features)]
    real, k = _wide(whole[np.sort(chosen)]), evaluation.neighbours
    with np.errstate(all="ignore"):
        lengths = [(rows**2).sum(axis=1).max() for rows in (real, features)]
    if not np.isfinite(4 * np.max(lengths)):
        raise NotRecomputed("prdc takes features with finite distances only")
    needed = MATRICES * 8 * max(len(real), len(features)) ** 2
    if needed > psutil.virtual_memory().available:
        raise NotRecomputed(f"prdc needs about {needed / 1e9:.0f} GB of memory for these samples")
    with quietly():
        found = compute_prdc(real, features, k)
    ties = cache(partial(_near_ties, real, features, k))

    def rounding_of(name: str) -> float:
        return ties()[name]

    return {name: Recomputed(float(found[name]), len(features), partial(rounding_of, name)) for name in NEIGHBOURS}


def bits_per_dim(evaluation: Likelihood, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the mean bits per dimension."""
    bits = stored.array("bits_per_dim")
    return {"bits_per_dim": Recomputed(float(np.mean(bits, dtype=np.float64)), len(bits))}


def _gaussians(stored: StoredArrays) -> tuple[Gaussian, Gaussian, int]:
    """Return mean and covariance of samples and reference as pytorch-fid computes them, and the number of samples."""
    features, reference = _wide(stored.array("features")), _wide(stored.reference())
    with quietly():
        a, b = ((np.mean(rows, axis=0), np.cov(rows, rowvar=False)) for rows in (features, reference))
    return a, b, len(features)


def _overflows(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Return whether covariances or their product are not finite: the record holds NaN, the libraries raise errors."""
    with np.errstate(all="ignore"):
        return not np.isfinite((np.trace(a) + np.trace(b)) ** 2)


def _rounding(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the rounding error of the Fréchet distance of covariances without full rank.

    An eigenvalue 0 of the product AB is computed as up to about the precision times the norms over sqrt(d), and enters
    by twice its root. With full rank it is far below `LOOSE`.
    """
    null = len(a) - min(int(np.linalg.matrix_rank(a, hermitian=True)), int(np.linalg.matrix_rank(b, hermitian=True)))
    noise = np.finfo(np.float64).eps * np.linalg.norm(a) * np.linalg.norm(b) / np.sqrt(len(a))
    return float(2 * null * np.sqrt(noise))


def _near_ties(real: NDArray[np.float64], features: NDArray[np.float64], k: int) -> dict[str, float]:
    """Return the changes of the metrics if all distances that rounding cannot tell from a radius were inside a ball.

    prdc counts points inside a ball without its boundary, which the record includes.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    margin = BOUNDARY * max((rows**2).sum(axis=1).max() for rows in (real, features))
    across = euclidean_distances(real, features, squared=True)
    of_real, of_features = (
        np.abs(across - np.expand_dims(np.partition(euclidean_distances(rows, squared=True), k)[:, k], axis)) <= margin
        for rows, axis in ((real, 1), (features, 0))
    )
    return {
        "precision": float(of_real.any(axis=0).mean()),
        "recall": float(of_features.any(axis=1).mean()),
        "density": float(of_real.sum(axis=0).mean() / k),
        "coverage": float(of_real.any(axis=1).mean()),
    }


def _wide(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64)


GENERATION = (
    Recomputation("pytorch-fid", distance_by_pytorch_fid, ("frechet_distance",), LOOSE),
    Recomputation("torch-fidelity", distance_by_torch_fidelity, ("frechet_distance",), LOOSE),
    Recomputation("torch-fidelity", class_score, ("class_score", "class_score_sd_over_splits")),
    Recomputation("prdc", neighbours, NEIGHBOURS),
)
LIKELIHOOD = (Recomputation("numpy", bits_per_dim, ("bits_per_dim",)),)
