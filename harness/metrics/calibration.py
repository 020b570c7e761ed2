"""Calibration: how often a classifier is right, against how sure it is (Guo et al. 2017, Eq. 1-3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over the largest class probability, each `(bins,)`; bin b is (b / bins, (b + 1) / bins].

    `count` is the number of images; `accuracy` and `confidence` are means over them as shares of 1, NaN where a bin
    is empty.
    """

    count: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def expected_calibration_error(self) -> float:
        """Return the mean of |accuracy - confidence| over the images, as a share of 1."""
        return self._mean(np.abs(self.accuracy - self.confidence))

    def confidence_gap(self) -> float:
        """Return the mean confidence minus the accuracy, as a share of 1: positive when overconfident."""
        return self._mean(self.confidence - self.accuracy)

    def _mean(self, values: NDArray[np.float64]) -> float:
        filled = self.count > 0
        return float(np.average(values[filled], weights=self.count[filled]))


def reliability(logits: NDArray[np.floating], labels: NDArray[np.integer], bins: int) -> Reliability:
    """Return the bins of logits `(n, classes)`, in float64. n is at least 1 and the logits are finite."""
    probabilities = softmax(logits.astype(np.float64), axis=1)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    inner_edges = np.arange(1, bins) / bins
    members = np.searchsorted(inner_edges, confidence, side="left")
    count = np.bincount(members, minlength=bins)
    sums = [np.bincount(members, weights=values, minlength=bins) for values in (correct, confidence)]
    accuracy, mean_confidence = (np.where(count > 0, total / np.maximum(count, 1), np.nan) for total in sums)
    return Reliability(count, accuracy, mean_confidence)
