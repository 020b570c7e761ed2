"""The samples of a run as pictures, for any kind of data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.pictures import BYTE_LEVELS, as_pictures
from harness.store.requests import read_config
from harness.store.run_directory import RunDirectory


def pictures_of(directory: RunDirectory, samples: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return stored samples of a run as pictures of 256 levels, None if they are not images.

    The configuration is read as plain JSON, so that its kinds need not be installed. Raises `StoreError` if it is
    damaged.
    """
    _, config = read_config(directory.config)
    data = config.get("data")
    levels = data.get("levels", BYTE_LEVELS) if isinstance(data, dict) else BYTE_LEVELS
    return as_pictures(samples, levels if isinstance(levels, int) and 1 < levels <= BYTE_LEVELS else BYTE_LEVELS)
