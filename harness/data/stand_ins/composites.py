"""Images composed of real digits, for stand-ins with more classes, colours or a background.

Every part of an image is a complete handwritten digit from the image's own split. Draws are addressed, so every machine
composes the same images.
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
    """Return images with two digits, in the red and the green channel; class 10 a + b, 100 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second) = _digits(split, "pairs", 2, count)
        splits[split] = np.stack([a, b, np.zeros_like(a)], axis=1), 10 * first + second
    return splits


def triples(counts: Mapping[str, int]) -> Splits:
    """Return images with three digits, one per channel; class abc, 1000 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second), (c, third) = _digits(split, "triples", 3, count)
        splits[split] = np.stack([a, b, c], axis=1), 100 * first + 10 * second + third
    return splits


def overlays(counts: Mapping[str, int]) -> Splits:
    """Return grey images of two superimposed digits; 100 classes."""
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second) = _digits(split, "overlays", 2, count)
        splits[split] = np.maximum(a, b)[:, None], 10 * first + second
    return splits


def mosaics(counts: Mapping[str, int]) -> Splits:
    """Return 16x16 images with one digit per quadrant.

    The class combines the upper two digits and the parity of the lower left one: 200 classes. The fourth is ignored.
    """
    splits: Splits = {}
    for split, count in counts.items():
        (a, first), (b, second), (c, third), (d, _) = _digits(split, "mosaics", 4, count)
        image = np.concatenate([np.concatenate([a, b], axis=2), np.concatenate([c, d], axis=2)], axis=1)
        splits[split] = image[:, None], 20 * first + 2 * second + third % 2
    return splits


def scenes(counts: Mapping[str, int]) -> Splits:
    """Return images of a white digit centred on a grey 12x12 patch of a photograph; 10 classes."""
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
    """Draw digits `(count, 8, 8)` with their classes, for every part of an image."""
    images, labels = digits.read()[split]
    rows = torch.arange(count)
    chosen = [Stream("composites", purpose, split, part).integers(rows, len(labels)).numpy() for part in range(parts)]
    return [(images[index, 0], labels[index]) for index in chosen]
