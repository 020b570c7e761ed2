"""The class score: exp of the mean KL from each sample's class distribution to the mean one (Salimans et al. 2016).

With Inception's classes and enough samples it is the Inception Score; with another classifier it is not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp


def class_score(logits: NDArray[np.floating], splits: int) -> tuple[float, float]:
    """Return the mean and the standard deviation (ddof 0, as is the custom) of the score over equal splits.

    `logits` has the shape `(n, classes)`; the rows must already be in random order. Split i begins at row
    ⌊i n / splits⌋, as in torch-fidelity, which the paper's code calls.
    """
    scores = []
    bounds = np.arange(1, splits) * len(logits) // splits
    for part in np.split(logits.astype(np.float64), bounds):
        log_p = log_softmax(part, axis=1)
        log_marginal = logsumexp(log_p, axis=0) - np.log(len(part))
        divergence = (np.exp(log_p) * (log_p - log_marginal)).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores)), float(np.std(scores))
