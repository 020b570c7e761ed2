"""Patches of the two photographs that ship with scikit-learn: a temple in China and a flower, 427 x 640 pixels each.

Training patches come from the left two thirds of a photograph, test patches from the right third, so they share no
pixels. A pixel of a patch is the mean over a block of pixels of the photograph. The class of a patch combines its
photograph and the fifth of the height that it comes from.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.stand_ins.digits import Splits
from harness.randomness import Stream

TEMPLE, FLOWER = "china.jpg", "flower.jpg"
PHOTOGRAPHS = (TEMPLE, FLOWER)
BANDS = 5
LUMA = np.array([0.299, 0.587, 0.114])


@lru_cache
def photograph(name: str, block: int, split: str) -> NDArray[np.float64]:
    """Return the part of a photograph for a split, as block means `(height, width, 3)` in 0..255."""
    from sklearn.datasets import load_sample_image

    pixels = np.asarray(load_sample_image(name), dtype=np.float64)
    height, width = (side // block for side in pixels.shape[:2])
    means = pixels[: height * block, : width * block].reshape(height, block, width, block, 3).mean(axis=(1, 3))
    border = 2 * width // 3
    return means[:, :border] if split == "train" else means[:, border:]


def patches(name: str, size: int, block: int, split: str, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return random patches `(count, size, size, 3)` of a photograph, and the horizontal band of each."""
    pixels = photograph(name, block, split)
    rows, stream = torch.arange(count), Stream("photographs", name, split)
    top = stream.at("top").integers(rows, pixels.shape[0] - size + 1).numpy()
    left = stream.at("left").integers(rows, pixels.shape[1] - size + 1).numpy()
    cut = [pixels[y : y + size, x : x + size] for y, x in zip(top, left, strict=True)]
    return np.stack(cut), BANDS * (top + size // 2) // pixels.shape[0]


def read(names: Sequence[str], size: int, block: int, counts: Mapping[str, int], *, grey: bool = False) -> Splits:
    """Return `counts` patches per split with their classes, ordered by photograph."""
    splits: Splits = {}
    for split, count in counts.items():
        parts = [patches(name, size, block, split, count // len(names)) for name in names]
        images = np.concatenate([images for images, _ in parts])
        labels = [BANDS * PHOTOGRAPHS.index(name) + bands for name, (_, bands) in zip(names, parts, strict=True)]
        pixels = (images @ LUMA)[:, None] if grey else images.transpose(0, 3, 1, 2)
        splits[split] = np.rint(pixels).astype(np.uint8), np.concatenate(labels)
    return splits
