"""`.npy` files, written atomically and read without pickle."""

import hashlib
import io
import math
import os
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from harness.array_headers import read_array_header
from harness.regular_files import open_regular
from harness.store.files import write_atomically, writing

PRIMITIVE = "biuf"
"""The kinds of NumPy dtypes that are plain numbers."""
PIECE = 2**20


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array.

    Raises `StoreError` if the disk is full; an existing file is then kept.
    """
    write_atomically(path, lambda file: np.save(file, array, allow_pickle=False))


def load_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """Read an array of plain numbers; memory-map it if only a part is needed.

    Raises `ValueError` if the file is not a complete array, and `OSError` if it cannot be read.
    """
    with open_regular(path) as file:
        shape, fortran, dtype = _described(file)
        order: Literal["C", "F"] = "F" if fortran else "C"
        if mapped:
            return np.memmap(file, dtype, "r", file.tell(), shape, order)
        return np.fromfile(file, dtype, math.prod(shape)).reshape(shape, order=order)


def _described(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, order and dtype of an array from its header, which must agree with the size of its file."""
    shape, fortran, dtype = read_array_header(file)
    if dtype.kind not in PRIMITIVE:
        raise ValueError(f"it contains {dtype}, not plain numbers")
    size = os.fstat(file.fileno()).st_size
    if min(shape, default=0) < 0 or file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"it claims the shape {str(shape)[:60]}, which does not match its size")
    return shape, fortran, dtype


def begun_sha256(path: Path, shape: tuple[int, ...], dtype: DTypeLike, rows: int) -> str | None:
    """Return the SHA-256 of the header and the first rows of a file begun by an `ArrayWriter`.

    Returns None if the file holds fewer rows, or an array of another shape or dtype.
    """
    header, left = _header(shape, dtype), rows * _row_bytes(shape, dtype)
    digest = hashlib.sha256(header)
    try:
        with open_regular(path) as file:
            if file.read(len(header)) != header:
                return None
            while left and (piece := file.read(min(left, PIECE))):
                digest.update(piece)
                left -= len(piece)
    except OSError:
        return None
    return None if left else digest.hexdigest()


def _header(shape: tuple[int, ...], dtype: DTypeLike) -> bytes:
    content = io.BytesIO()
    described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, described)
    return content.getvalue()


def _row_bytes(shape: tuple[int, ...], dtype: DTypeLike) -> int:
    return math.prod(shape[1:]) * np.dtype(dtype).itemsize


class ArrayWriter:
    """Writer of an array file of known shape, row by row, so that the array need not fit into memory.

    The bytes equal those of `save_array`. The caller renames the file to its final name after closing it. With `kept`,
    continue an existing file after its first `kept` rows and truncate the rest.
    Raises `StoreError` if the disk is full. Plain writes fail cleanly then, while a memory map would kill the process.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike, kept: int = 0) -> None:
        self._path = path
        self._dtype = np.dtype(dtype)
        with writing(path):
            self._file = open(path, "r+b" if kept else "w+b")  # noqa: SIM115 (closed by `close`)
            self._file.write(_header(shape, dtype))
            self._digest = hashlib.sha256(_header(shape, dtype))
            self._hash(kept * _row_bytes(shape, dtype))
            self._file.seek(self._file.tell())  # between reading and writing
            self._file.truncate()

    def _hash(self, left: int) -> None:
        """Read and hash the next bytes of the file."""
        while left and (piece := self._file.read(min(left, PIECE))):
            self._digest.update(piece)
            left -= len(piece)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the header and all rows so far, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, rows: NDArray[Any]) -> None:
        """Append rows, in any memory layout."""
        written = np.ascontiguousarray(rows, dtype=self._dtype).data
        self._digest.update(written)
        with writing(self._path):
            self._file.write(written)

    def flush(self) -> None:
        """Flush all data to disk."""
        with writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush all data to disk and close the file. Closing twice is allowed."""
        if self._file.closed:
            return
        with writing(self._path), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
