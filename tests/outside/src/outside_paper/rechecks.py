"""Recomputations of the evaluations with scikit-learn."""

from collections.abc import Mapping

import numpy as np
from scipy.special import softmax
from sklearn.metrics import log_loss

from harness.recheck.recomputation import Recomputation, Recomputed, StoredArrays
from outside_paper.evaluations import Brier


def of_probabilities(evaluation: Brier, stored: StoredArrays) -> Mapping[str, Recomputed]:
    """Return the log loss of the class probabilities."""
    logits, labels = stored.array("logits").astype(np.float64), stored.array("labels")
    loss = log_loss(labels, softmax(logits, axis=1), labels=range(logits.shape[1]))
    return {"log_loss": Recomputed(float(loss), len(labels))}


BRIER = (Recomputation("scikit-learn", of_probabilities, ("log_loss",)),)
