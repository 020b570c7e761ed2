"""Batched image augmentation, with random draws indexed by row."""

from torch import Tensor

from harness.randomness import Draws
from outside_paper import augmentation as spec


def contrast(policy: spec.Contrast, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Reduce the contrast of every image by a random factor."""
    kept = 1 - policy.strength * stream.uniform(rows).to(images.device)
    return images * kept[:, None, None, None]


def jitter(step: spec.Jitter, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Add noise to every image."""
    return images + step.sd * stream.normal(rows, *images.shape[1:])
