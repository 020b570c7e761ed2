"""Datasets made of what an installed package carries: prepared on first use, without a download."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from harness.data import composites, digits, photographs
from harness.data.blocks import Block
from harness.data.digits import Splits
from harness.data.photographs import FLOWER, PHOTOGRAPHS, TEMPLE
from harness.spec.data import Dataset

READERS: dict[str, Callable[[Any], Splits]] = {
    "digits": lambda data: digits.read(),
    "pairs": lambda data: composites.pairs(data.splits),
    "triples": lambda data: composites.triples(data.splits),
    "mosaics": lambda data: composites.mosaics(data.splits),
    "scenes": lambda data: composites.scenes(data.splits),
    "overlays": lambda data: composites.overlays(data.splits),
    "photos16": lambda data: photographs.read(PHOTOGRAPHS, data.image_size, 4, data.splits),
    "photos14": lambda data: photographs.read(PHOTOGRAPHS, data.image_size, 4, data.splits),
    "temple": lambda data: photographs.read([TEMPLE], data.image_size, 4, data.splits, grey=True),
    "flower": lambda data: photographs.read([FLOWER], data.image_size, 4, data.splits, grey=True),
}


def read(data: Dataset) -> Iterator[Block]:
    """Yield each split of an embedded dataset as one block."""
    for split, (images, labels) in READERS[data.name](data).items():
        if split in data.splits:
            yield Block((split,), images.astype(np.uint8), labels.astype(np.int64))
