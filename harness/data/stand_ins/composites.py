"""Images composed of the real digits, for stand-ins with more classes, colours or a background.

Every part of an image is a whole handwritten digit, drawn from the split that the image belongs to. The draws are
addressed, so every machine composes the same images.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.stand_ins import digits, photographs
from harness.data.stand_ins.digits import Splits
from harness.randomness import Stream

Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]


def pairs(counts: Mapping[str, int]) -> Splits:
    """Return two digits in the red and the green channel of an image, the class being 10 a + b; 100 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second) = _digits(split, "pairs", 2, count)
        splits[split] = np.stack([a, b, np.zeros_like(a)], axis=1), 10 * first + second
    return splits


def triples(counts: Mapping[str, int]) -> Splits:
    """Return three digits in the three channels of an image, the class being the number abc; 1000 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second), (c, third) = _digits(split, "triples", 3, count)
        splits[split] = np.stack([a, b, c], axis=1), 100 * first + 10 * second + third
    return splits


def overlays(counts: Mapping[str, int]) -> Splits:
    """Return two digits written over each other in one grey image; 100 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second) = _digits(split, "overlays", 2, count)
        splits[split] = np.maximum(a, b)[:, None], 10 * first + second
    return splits


def mosaics(counts: Mapping[str, int]) -> Splits:
    """Return four digits in the quarters of a 16x16 image.

    The class is made of the upper two and of whether the lower left one is odd: 200 classes. The fourth has no label.
    """
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second), (c, third), (d, _) = _digits(split, "mosaics", 4, count)
        image = np.concatenate([np.concatenate([a, b], axis=2), np.concatenate([c, d], axis=2)], axis=1)
        splits[split] = image[:, None], 20 * first + 2 * second + third % 2
    return splits


def scenes(counts: Mapping[str, int]) -> Splits:
    """Return a white digit in the middle of a grey 12x12 patch of a photograph; 10 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        halves = [photographs.patches(name, 12, 4, split, count // 2)[0] for name in photographs.PHOTOGRAPHS]
        background = np.concatenate(halves) @ photographs.LUMA
        ((digit, labels),) = _digits(split, "scenes", 1, count)
        ink = np.pad(digit / 255, ((0, 0), (2, 2), (2, 2)))
        image = background + (255 - background) * ink
        splits[split] = np.rint(image).astype(np.uint8)[:, None], labels
    return splits


def _digits(split: str, purpose: str, parts: int, count: int) -> list[Digits]:
    """Draw so many digits `(count, 8, 8)` for every part of an image, with their classes."""
    images, labels = digits.read()[split]
    rows = torch.arange(count)
    chosen = [Stream("composites", purpose, split, part).integers(rows, len(labels)).numpy() for part in range(parts)]
    return [(images[index, 0], labels[index]) for index in chosen]
