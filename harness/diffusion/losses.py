"""Elementwise denoising losses. HybViT Eq. 15 prints the squared one; Table 9 and the authors' code use L1."""

from torch import Tensor

from harness.config.processes import DenoisingLoss


def absolute(loss: DenoisingLoss, difference: Tensor) -> Tensor:
    """Return the absolute difference."""
    return difference.abs()


def squared(loss: DenoisingLoss, difference: Tensor) -> Tensor:
    """Return the squared difference."""
    return difference.square()
