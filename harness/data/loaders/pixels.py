"""Pixels as networks see them and as files keep them."""

import torch
from torch import Tensor


def to_signed(images: Tensor) -> Tensor:
    """Map uint8 pixels to float32 in [-1, 1]."""
    return images.to(torch.float32, copy=True).div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map float images in [-1, 1] to uint8, truncating as the authors' code does."""
    return ((images.clamp(-1, 1) + 1) * 127.5).to(torch.uint8)
