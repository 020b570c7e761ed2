"""Top-1 accuracy with EMA weights, on unaugmented images in [-1, 1], without a timestep, as in the authors' code.

Artefacts: `logits.npy` `(n, classes)` float32 and `labels.npy` `(n,)`, in the order of the split.
"""

import numpy as np

from harness.config.evaluations import Accuracy
from harness.evaluation.base import EvaluationResult, Subject
from harness.evaluation.logits import split_logits
from harness.store.records import Measurement


def evaluate(evaluation: Accuracy, subject: Subject) -> EvaluationResult:
    """Return the percentage of correctly classified examples, NaN if any logit is not finite."""
    logits, labels = split_logits(evaluation.split, subject)
    if not np.isfinite(logits).all():
        return EvaluationResult({"accuracy": Measurement(value=float("nan"), n=len(labels))})
    correct = int((logits.argmax(axis=1) == labels).sum())
    return EvaluationResult({"accuracy": Measurement(value=100 * correct / len(labels), n=len(labels))})
