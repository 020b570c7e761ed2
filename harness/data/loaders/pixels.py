"""Conversion between stored values and model inputs: pixels map to [-1, 1], all other values are unchanged."""

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

    With 256 levels values are truncated, as in the authors' code; with any other number they are rounded.
    """
    scaled = (images.clamp(-1, 1) + 1) * ((levels - 1) / 2)
    return (scaled if levels == BYTE_LEVELS else scaled.round()).to(torch.uint8)


def to_256_levels(images: Tensor, levels: int) -> Tensor:
    """Rescale uint8 pixels from 0 to `levels - 1` to the nearest of 256 levels."""
    if levels == BYTE_LEVELS:
        return images
    return (images * ((BYTE_LEVELS - 1) / (levels - 1))).round().to(torch.uint8)


def decode_fields(data: Dataset, stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the fields of stored examples to model inputs."""
    return {name: as_inputs(data, values) if name == data.inputs else values for name, values in stored.items()}


def as_inputs(data: Dataset, stored: Tensor) -> Tensor:
    """Convert stored values of the input field to model inputs."""
    return to_signed(stored, data.levels) if isinstance(data, Images) else stored


def as_stored(data: Dataset, values: Tensor) -> Tensor:
    """Convert values of the input field, such as samples, to the dataset's storage format.

    Integer fields are rounded to the nearest allowed value.
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
