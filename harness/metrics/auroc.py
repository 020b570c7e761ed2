"""The area under the ROC curve."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def auroc(positives: NDArray[np.floating], negatives: NDArray[np.floating]) -> float:
    """Return the probability that a positive's score `(n,)` exceeds a negative's `(m,)`, ties counted half.

    It is the Mann-Whitney U statistic over n m. The scores must be finite.
    """
    n, m = len(positives), len(negatives)
    ranks = rankdata(np.concatenate([positives, negatives]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))
