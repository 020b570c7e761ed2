"""Arrays as `.npy` files, written atomically and read without executing anything."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.store.files import write_atomically


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array.

    Raises `StoreError` when the disk is full; an older file then stays.
    """
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def load_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """Read an array, memory-mapped where only a part of it will be looked at."""
    array: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return array
