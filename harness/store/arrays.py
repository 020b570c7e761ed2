"""Arrays as `.npy` files, written atomically and read without executing anything."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.store.files import write_atomically, writing


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array.

    Raises `StoreError` when the disk is full; an older file then stays.
    """
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def load_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """Read an array, memory-mapped where only a part of it will be looked at."""
    array: NDArray[Any] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    return array


class ArrayWriter:
    """An array file of known shape that is filled row by row, so that the whole never has to fit into memory.

    The bytes are those of `save_array`. Who writes gives the file its final name, once it is closed.
    Raises `StoreError` when the disk is full; plain writes say so, where a memory map would kill the process.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        with writing(path):
            self._file = open(path, "xb")  # noqa: SIM115 (closed by `close`)
            np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, rows: NDArray[Any]) -> None:
        """Write the next rows, of any memory layout."""
        with writing(self._path):
            self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)

    def close(self) -> None:
        """Bring everything to the disk; closing twice is allowed."""
        if self._file.closed:
            return
        with writing(self._path), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
