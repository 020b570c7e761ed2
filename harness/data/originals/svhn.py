"""SVHN: one MATLAB file per split, with X `(32, 32, 3, n)` uint8 and y from 1 to 10, where 10 is the digit 0."""

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.dataset import Images
from harness.data.errors import DataError, damaged, reading
from harness.data.prepared.blocks import Block, classes, labelled

HEADER = 128
MAGIC = b"MATLAB 5.0 MAT-file"
COMPRESSED = 15
KINDS = ("uint8", "uint16", "int32", "double")
"""Allowed dtypes of variables. Labels may have any of them; pixels are uint8."""
PIECE = 2**20
BLOCK = 10_000


def read_svhn(data: Images, files: Mapping[str, Path]) -> Iterator[Block]:
    """Yield the images of train_32x32.mat and test_32x32.mat, with digits as classes."""
    for split, count in data.splits.items():
        path = files[f"{split}_32x32.mat"]
        shape = (data.image_size, data.image_size, data.channels, count)
        with reading(path):
            _refuse_bombs(path, limit=2 * count * data.pixels + PIECE)
        images, numbers = _variables(path, {"X": shape, "y": (count, 1)})
        labels = classes(numbers.ravel().tolist(), range(1, 11), str(path)) + 1
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            yield labelled((split,), images[..., part].transpose(3, 2, 0, 1), labels[part] % 10)


def _variables(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> list[NDArray[Any]]:
    """Load numeric variables after checking their shapes."""
    from scipy.io import loadmat, whosmat

    try:
        found = {name: shape for name, shape, kind in whosmat(path) if kind in KINDS}
        for name, shape in shapes.items():
            if found.get(name) != shape:
                raise DataError(f"{path}: {name} has the shape {found.get(name)}, not {shape}")
        loaded = loadmat(path, variable_names=list(shapes))
        return [np.asarray(loaded[name]) for name in shapes]
    except DataError:
        raise
    except Exception as error:  # a damaged file can fail in any way
        raise damaged(path, error) from None


def _refuse_bombs(path: Path, limit: int) -> None:
    """Decompress all elements of the file once, piecewise, discarding the output.

    Raises `DataError` if they exceed `limit` bytes in total, or the file has another format.
    """
    total = 0
    with open(path, "rb") as file:
        header = file.read(HEADER)
        if not header.startswith(MAGIC):
            raise DataError(f"{path} is not a MATLAB 5 file")
        order: Any = "little" if header[-2:] == b"IM" else "big"
        while tag := file.read(8):
            kind, size = (int.from_bytes(part, order) for part in (tag[:4], tag[4:]))
            content = file.read(min(size, limit + 1))
            if len(content) < size:
                raise DataError(f"{path} is truncated, or claims more than it holds")
            pieces = _unpacked(content) if kind == COMPRESSED else iter([size])
            for piece in pieces:
                total += piece
                if total > limit:
                    raise DataError(f"{path} unpacks to more than {limit:,} bytes, which the original does not")


def _unpacked(content: bytes) -> Iterator[int]:
    """Yield the sizes of the decompressed pieces."""
    unpacker = zlib.decompressobj()
    while content and not unpacker.eof:
        yield len(unpacker.decompress(content, PIECE))
        content = unpacker.unconsumed_tail
