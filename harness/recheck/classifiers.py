"""Recomputations of evaluations of classifiers: accuracy, calibration, outlier detection, robustness."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.config.evaluations import Accuracy, Calibration, OutOfDistribution, Robustness
from harness.recheck.recomputation import FLOAT64, Recomputation, Recomputed, StoredArrays
from harness.torchvision_shim import make_torchvision_importable


def rounding() -> float:
    """Return the absolute error of a difference of percentages, however small the difference."""
    return 100 * FLOAT64


def accuracy(evaluation: Accuracy, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the percentage of rows with their largest logit at the label."""
    logits, labels = stored.array("logits"), stored.array("labels")
    right = 100 * np.mean(np.argmax(logits, axis=1) == labels) if np.isfinite(logits).all() else np.nan
    return {"accuracy": Recomputed(float(right), len(labels))}


def calibration_error(evaluation: Calibration, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the expected calibration error in percent.

    The multiclass function of torchmetrics rounds to float32, which moves images into other bins; its binary one keeps
    float64, and is the same error for the confidences and whether they are right.
    """
    make_torchvision_importable()
    from torchmetrics.functional.classification import binary_calibration_error

    confidence, right = _confidences(stored)
    if confidence is None:
        return {"expected_calibration_error": Recomputed(np.nan, len(right))}
    # torchmetrics bins [a, b), and 1 alone in a bin of its own; the recorded bins are (a, b], as in Guo et al.
    below = torch.from_numpy(np.nextafter(confidence, 0.0))
    error = binary_calibration_error(below, torch.from_numpy(right.astype(np.int64)), n_bins=evaluation.bins, norm="l1")
    return {"expected_calibration_error": Recomputed(100 * float(error), len(right), rounding)}


def confidence_gap(evaluation: Calibration, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return mean confidence minus accuracy, in percent."""
    confidence, right = _confidences(stored)
    gap = np.nan if confidence is None else 100 * (np.mean(confidence) - np.mean(right))
    return {"confidence_gap": Recomputed(float(gap), len(right), rounding)}


def of_bins(evaluation: Calibration, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return both numbers from the bins that reliability diagrams show."""
    count, right, confidence = stored.array("bins").T
    filled = count > 0
    gaps, weights, n = (confidence - right)[filled], count[filled], int(count.sum())
    return {
        "expected_calibration_error": Recomputed(100 * float(np.average(np.abs(gaps), weights=weights)), n, rounding),
        "confidence_gap": Recomputed(100 * float(np.average(gaps, weights=weights)), n, rounding),
    }


def auroc(evaluation: OutOfDistribution, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the area under the ROC curve, with the scores of the run's own data as positives."""
    from sklearn.metrics import roc_auc_score

    inside, outside = stored.array("in_scores"), stored.array("out_scores")
    scores = np.concatenate([inside, outside])
    area = np.nan
    if np.isfinite(scores).all():
        area = roc_auc_score(np.repeat([1, 0], [len(inside), len(outside)]), scores)
    return {"auroc": Recomputed(float(area), len(scores))}


def robustness(evaluation: Robustness, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the percentage of images that no query misclassifies for each epsilon, and of those right at first."""
    fallen = stored.array("fallen")
    found = {
        evaluation.quantity(epsilon): Recomputed(float(100 * np.mean(row == -1)), len(row))
        for epsilon, row in zip(evaluation.epsilons, fallen, strict=True)
    }
    return {**found, "clean_accuracy": Recomputed(float(100 * np.mean(fallen[0] != 0)))}


def _confidences(stored: StoredArrays) -> tuple[NDArray[np.float64] | None, NDArray[Any]]:
    """Return the largest class probabilities by torch, None if a logit is not finite, and which rows are right."""
    logits, labels = np.array(stored.array("logits")), stored.array("labels")
    if not np.isfinite(logits).all():
        return None, np.zeros(len(labels))
    probabilities = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == labels


ACCURACY = (Recomputation("numpy", accuracy, ("accuracy",)),)
CALIBRATION = (
    Recomputation("torchmetrics", calibration_error, ("expected_calibration_error",)),
    Recomputation("numpy", confidence_gap, ("confidence_gap",)),
    Recomputation("numpy", of_bins, ("expected_calibration_error", "confidence_gap")),
)
OUT_OF_DISTRIBUTION = (Recomputation("scikit-learn", auroc, ("auroc",)),)
ROBUSTNESS = (Recomputation("numpy", robustness),)
