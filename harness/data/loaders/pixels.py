"""Values as models take them and as files keep them: pixels become numbers in [-1, 1], all others stay as they are."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.config.dataset import Dataset, Images

BYTE_LEVELS = 256


def to_signed(images: Tensor, levels: int = BYTE_LEVELS) -> Tensor:
    """Map uint8 pixels from 0 to `levels - 1` to float32 in [-1, 1]."""
    return images.to(torch.float32, copy=True).div_((levels - 1) / 2).sub_(1)


def to_uint8(images: Tensor, levels: int = BYTE_LEVELS) -> Tensor:
    """Map float images in [-1, 1] to uint8 from 0 to `levels - 1`.

    256 levels are truncated as the authors' code does it, any other number of them is rounded to the nearest.
    """
    scaled = (images.clamp(-1, 1) + 1) * ((levels - 1) / 2)
    return (scaled if levels == BYTE_LEVELS else scaled.round()).to(torch.uint8)


def in_bytes(images: Tensor, levels: int) -> Tensor:
    """Return uint8 pixels from 0 to `levels - 1` as the nearest of 256 levels, to be looked at."""
    if levels == BYTE_LEVELS:
        return images
    return (images * ((BYTE_LEVELS - 1) / (levels - 1))).round().to(torch.uint8)


def presented(data: Dataset, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the fields of some examples as models take them."""
    return {name: as_inputs(data, values) if name == data.inputs else values for name, values in stored.items()}


def as_inputs(data: Dataset, stored: Tensor) -> Tensor:
    """Return stored values of the field that models take, as they take them."""
    return to_signed(stored, data.levels) if isinstance(data, Images) else stored


def as_stored(data: Dataset, values: Tensor) -> Tensor:
    """Return values of the field that models take, such as samples, in the form in which the dataset stores them.

    Numbers that have to be whole are rounded to the nearest that is allowed.
    """
    if isinstance(data, Images):
        return to_uint8(values, data.levels)
    field = data.stored[data.inputs]
    dtype: torch.dtype = getattr(torch, field.dtype)
    if not dtype.is_floating_point and values.is_floating_point():
        values = values.round()
    if field.below is not None:
        values = values.clamp(0, field.below - 1)
    return values.to(dtype)
