"""The area under the ROC curve."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def auroc(positives: NDArray[np.floating], negatives: NDArray[np.floating]) -> float:
    """Return the probability that a positive score `(n,)` exceeds a negative one `(m,)`; ties count half.

    This equals the Mann-Whitney U statistic divided by n m. Scores must be finite.
    """
    n, m = len(positives), len(negatives)
    ranks = rankdata(np.concatenate([positives, negatives]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))
