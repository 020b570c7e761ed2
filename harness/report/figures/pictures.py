"""The samples of a run as pictures, whatever its data are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.pictures import BYTE_LEVELS, as_pictures
from harness.store.files import read_json
from harness.store.run_directory import RunDirectory


def pictures_of(directory: RunDirectory, samples: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return samples that a run has kept as pictures of 256 levels, None where they are no images.

    The configuration is looked at without being read as one: its kinds need not be installed.
    """
    config = read_json(directory.config).get("config") or {}
    levels = (config.get("data") or {}).get("levels", BYTE_LEVELS)
    return as_pictures(samples, levels if isinstance(levels, int) and 1 < levels <= BYTE_LEVELS else BYTE_LEVELS)
