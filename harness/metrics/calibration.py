"""Calibration: accuracy against confidence, in bins (Guo et al. 2017, Eq. 1-3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax


@dataclass(frozen=True)
class Reliability:
    """Equal-width bins over the maximum softmax probability; bin b is (b / bins, (b + 1) / bins].

    All arrays are `(bins,)`: the number of images, and their mean accuracy and confidence in [0, 1], NaN in empty
    bins.
    """

    count: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def expected_calibration_error(self) -> float:
        """Return the ECE, |accuracy - confidence| averaged over images, in [0, 1] (Guo et al. Eq. 3)."""
        return self._mean(np.abs(self.accuracy - self.confidence))

    def confidence_gap(self) -> float:
        """Return mean confidence minus accuracy, in [-1, 1]: positive means overconfident."""
        return self._mean(self.confidence - self.accuracy)

    def _mean(self, values: NDArray[np.float64]) -> float:
        filled = self.count > 0
        return float(np.average(values[filled], weights=self.count[filled]))


def reliability(logits: NDArray[np.floating], labels: NDArray[np.integer], bins: int) -> Reliability:
    """Bin logits `(n, classes)` by confidence, in float64. Requires n >= 1 and finite logits."""
    probabilities = softmax(logits.astype(np.float64), axis=1)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    inner_edges = np.arange(1, bins) / bins
    members = np.searchsorted(inner_edges, confidence, side="left")
    count = np.bincount(members, minlength=bins)
    sums = [np.bincount(members, weights=values, minlength=bins) for values in (correct, confidence)]
    accuracy, mean_confidence = (np.where(count > 0, total / np.maximum(count, 1), np.nan) for total in sums)
    return Reliability(count, accuracy, mean_confidence)
