"""Calibration: the expected calibration error of the maximum softmax probability, as in the authors' code.

Artefacts: `bins.npy` `(bins, 3)` float64 with count, accuracy and mean confidence of each bin, the last two in [0, 1]
and NaN in empty bins; `logits.npy` `(n, classes)` float32 and `labels.npy` `(n,)`, in the order of the split.
"""

import numpy as np

from harness.config.evaluations import Calibration
from harness.evaluation.base import EvaluationResult, Subject
from harness.evaluation.logits import split_logits
from harness.metrics.calibration import reliability
from harness.store.records import Measurement


def evaluate(evaluation: Calibration, subject: Subject) -> EvaluationResult:
    """Return the expected calibration error, and mean confidence minus accuracy, both in percent."""
    logits, labels = split_logits(evaluation.split, subject)
    error = gap = float("nan")
    if np.isfinite(logits).all():
        bins = reliability(logits, labels, evaluation.bins)
        subject.save("bins", np.stack([bins.count, bins.accuracy, bins.confidence], axis=1))
        error, gap = bins.expected_calibration_error(), bins.confidence_gap()
    return EvaluationResult(
        {
            "expected_calibration_error": Measurement(value=100 * error, n=len(labels)),
            "confidence_gap": Measurement(value=100 * gap, n=len(labels)),
        }
    )
