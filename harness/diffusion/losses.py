"""Losses of denoising: the error of every element of a prediction."""

from torch import Tensor

from harness.config.processes import DenoisingLoss


def absolute(loss: DenoisingLoss, difference: Tensor) -> Tensor:
    """Return the absolute difference."""
    return difference.abs()


def squared(loss: DenoisingLoss, difference: Tensor) -> Tensor:
    """Return the squared difference."""
    return difference.square()
