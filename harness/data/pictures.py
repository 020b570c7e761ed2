"""Converts stored images for display."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTE_LEVELS = 256


def as_pictures(stored: NDArray[Any], levels: int = BYTE_LEVELS) -> NDArray[np.uint8] | None:
    """Rescale images `(n, channels, height, width)` with values 0 to `levels - 1` to the nearest of 256 levels.

    Returns None if the array does not hold grey or RGB images.
    """
    if stored.dtype != np.uint8 or stored.ndim != 4 or stored.shape[1] not in (1, 3) or not stored.size:
        return None
    if levels == BYTE_LEVELS:
        return stored
    scaled = stored * np.float32((BYTE_LEVELS - 1) / (levels - 1))
    return np.rint(scaled).clip(0, BYTE_LEVELS - 1).astype(np.uint8)
