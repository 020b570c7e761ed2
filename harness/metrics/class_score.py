"""The class score exp(E[KL(p(y|x) || p(y))]) (Salimans et al. 2016).

It is the Inception Score only with Inception's classes; with another classifier it is not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp


def class_score(logits: NDArray[np.floating], splits: int) -> tuple[float, float]:
    """Return the mean and the standard deviation (ddof 0, by convention) of the score over equal splits.

    `logits` are `(n, classes)`, with rows already in random order. Split i starts at row ⌊i n / splits⌋, as in
    torch-fidelity, which the paper's code uses.
    """
    scores = []
    bounds = np.arange(1, splits) * len(logits) // splits
    for part in np.split(logits.astype(np.float64), bounds):
        log_p = log_softmax(part, axis=1)
        log_marginal = logsumexp(log_p, axis=0) - np.log(len(part))
        divergence = (np.exp(log_p) * (log_p - log_marginal)).sum(axis=1)
        scores.append(np.exp(divergence.mean()))
    return float(np.mean(scores)), float(np.std(scores))
