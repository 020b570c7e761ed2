"""Readers of the stand-ins, which are made on first use from installed packages, without a download."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from harness.config.dataset import Images
from harness.data.prepared.blocks import Block, labelled
from harness.data.stand_ins import composites, photographs
from harness.data.stand_ins.digits import Splits
from harness.data.stand_ins.digits import read as read_digits
from harness.data.stand_ins.photographs import FLOWER, PHOTOGRAPHS, TEMPLE

Files = Mapping[str, Path]


def digits(data: Images, files: Files) -> Iterator[Block]:
    """Yield the handwritten digits."""
    return _blocks(data, read_digits())


def pairs(data: Images, files: Files) -> Iterator[Block]:
    """Yield images of two digits in two colours."""
    return _blocks(data, composites.pairs(data.splits))


def triples(data: Images, files: Files) -> Iterator[Block]:
    """Yield images of three digits in three colours."""
    return _blocks(data, composites.triples(data.splits))


def mosaics(data: Images, files: Files) -> Iterator[Block]:
    """Yield images of four digits in a 2x2 grid."""
    return _blocks(data, composites.mosaics(data.splits))


def scenes(data: Images, files: Files) -> Iterator[Block]:
    """Yield digits on a photographic background."""
    return _blocks(data, composites.scenes(data.splits))


def overlays(data: Images, files: Files) -> Iterator[Block]:
    """Yield images of two superimposed digits."""
    return _blocks(data, composites.overlays(data.splits))


def photos16(data: Images, files: Files) -> Iterator[Block]:
    """Yield 16x16 patches of two photographs."""
    return _blocks(data, photographs.read(PHOTOGRAPHS, data.image_size, 4, data.splits))


def photos14(data: Images, files: Files) -> Iterator[Block]:
    """Yield 14x14 patches of two photographs."""
    return photos16(data, files)


def temple(data: Images, files: Files) -> Iterator[Block]:
    """Yield grey patches of the photograph of a temple."""
    return _blocks(data, photographs.read([TEMPLE], data.image_size, 4, data.splits, grey=True))


def flower(data: Images, files: Files) -> Iterator[Block]:
    """Yield grey patches of the photograph of a flower."""
    return _blocks(data, photographs.read([FLOWER], data.image_size, 4, data.splits, grey=True))


def _blocks(data: Images, splits: Splits) -> Iterator[Block]:
    """Yield each split as one block."""
    for split, (images, labels) in splits.items():
        if split in data.splits:
            yield labelled((split,), images.astype(np.uint8), labels.astype(np.int64))
