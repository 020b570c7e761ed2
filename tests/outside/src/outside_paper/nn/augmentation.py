"""Augmentation of batches of images, whose draws are addressed by row."""

from torch import Tensor

from harness.randomness import Draws
from outside_paper import augmentation as spec


def contrast(policy: spec.Contrast, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Return every image with a contrast of its own."""
    kept = 1 - policy.strength * stream.uniform(rows).to(images.device)
    return images * kept[:, None, None, None]


def jitter(step: spec.Jitter, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Return every image with noise of its own."""
    return images + step.sd * stream.normal(rows, *images.shape[1:])
