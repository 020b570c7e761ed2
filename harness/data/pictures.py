"""Stored images as pictures to look at."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BYTE_LEVELS = 256


def as_pictures(stored: NDArray[Any], levels: int = BYTE_LEVELS) -> NDArray[np.uint8] | None:
    """Return images `(n, channels, height, width)` with values from 0 to `levels - 1` as the nearest of 256 levels.

    None where the array holds no grey or coloured images, but points or tokens, say.
    """
    if stored.dtype != np.uint8 or stored.ndim != 4 or stored.shape[1] not in (1, 3) or not stored.size:
        return None
    if levels == BYTE_LEVELS:
        return stored
    scaled = stored * np.float32((BYTE_LEVELS - 1) / (levels - 1))
    return np.rint(scaled).clip(0, BYTE_LEVELS - 1).astype(np.uint8)
