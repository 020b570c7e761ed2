"""The handwritten digits that ship with scikit-learn: 1,797 real 8x8 images with 17 grey levels.

The test split is every fifth image in file order, so writers are in both splits; `docs/scales.md` explains why the
digits stand in for CIFAR-10 at laptop scale.
"""

import numpy as np
from numpy.typing import NDArray

LEVELS = 16
Splits = dict[str, tuple[NDArray[np.uint8], NDArray[np.int64]]]
"""Images `(n, channels, size, size)` and labels `(n,)` of the splits `train` and `test`."""


def read() -> Splits:
    """Return the splits, with images `(n, 1, 8, 8)` in 0..255 and labels in 0..9."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images[:, None] * (255 / LEVELS)).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    test = np.arange(len(labels)) % 5 == 0
    return {"train": (images[~test], labels[~test]), "test": (images[test], labels[test])}
