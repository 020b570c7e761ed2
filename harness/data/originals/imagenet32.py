"""ImageNet 32x32: zip archives of NPZ files, themselves zip archives; rows of 3072 bytes, labels 1 to 1000.

The training images unpack to 3.9 GB and are streamed through both levels.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.array_headers import read_array_header
from harness.config.dataset import Images
from harness.data.errors import DataError
from harness.data.originals.zips import Zip, open_zip
from harness.data.prepared.blocks import Block, Chunk, classes, labelled

BLOCK = 2_000
LIMIT = 2**33
"""Maximum unpacked bytes; the original unpacks to 3.9 GB."""
ARCHIVES = {"train": "Imagenet32_train_npz.zip", "test": "Imagenet32_val_npz.zip"}
BATCHES = {"train": [f"train_data_batch_{number}.npz" for number in range(1, 11)], "test": ["val_data.npz"]}


def read_imagenet32(data: Images, files: Mapping[str, Path]) -> Iterator[Chunk]:
    """Yield the images of Imagenet32_train_npz.zip and Imagenet32_val_npz.zip, one chunk per NPZ file.

    Classes are in the authors' order (map_clsloc.txt), starting at 0.
    """
    for split in data.splits:
        path = files[ARCHIVES[split]]
        with open_zip(path, str(path), LIMIT) as outer:
            for batch in BATCHES[split]:
                yield partial(_file, data, split, outer, outer.named(batch))


def _file(data: Images, split: str, outer: Zip, name: str) -> Iterator[Block]:
    with outer.open(name) as stream, open_zip(stream, outer.where(name), LIMIT) as inner:
        yield from _batch(data, split, inner)


def _batch(data: Images, split: str, archive: Zip) -> Iterator[Block]:
    with archive.open("labels.npy") as stream:
        where = archive.where("labels.npy")
        (count,), dtype = _header(stream, 1, where)
        if dtype.kind not in "iu" or count > data.splits[split]:
            raise DataError(f"{where} holds {count:,} of {dtype}, not at most {data.splits[split]:,} whole numbers")
        numbers = np.frombuffer(_exactly(stream, count * dtype.itemsize, where), dtype)
        labels = classes(numbers.tolist(), range(1, data.num_classes + 1), where)
    with archive.open("data.npy") as stream:
        where = archive.where("data.npy")
        shape, dtype = _header(stream, 2, where)
        if shape != (count, data.pixels) or dtype != np.uint8:
            raise DataError(f"{where} holds {shape} of {dtype}, not {(count, data.pixels)} of uint8")
        for start in range(0, count, BLOCK):
            part = labels[start : start + BLOCK]
            pixels = np.frombuffer(_exactly(stream, len(part) * data.pixels, where), np.uint8)
            yield labelled((split,), pixels.reshape(-1, data.channels, data.image_size, data.image_size), part)


def _header(stream: IO[bytes], dimensions: int, where: str) -> tuple[tuple[int, ...], "np.dtype[Any]"]:
    """Read the shape and dtype of the next array, without executing anything in its header."""
    shape, fortran, dtype = read_array_header(stream)
    if len(shape) != dimensions or (fortran and dimensions > 1):
        raise DataError(f"{where} is not an array of {dimensions} dimensions in C order")
    return shape, dtype


def _exactly(stream: IO[bytes], size: int, where: str) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise DataError(f"{where} is truncated")
    return content
