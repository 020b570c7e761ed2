"""Decodes pictures and resizes them to the size of a dataset, as in the authors' code.

This is torchvision's `Resize` on a PIL image: bilinear, with antialiasing.
"""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.data.errors import DataError
from harness.data.prepared.blocks import Block, Chunk, labelled

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
MAX_PIXELS = 2**25
"""Pictures that claim more pixels are refused as decompression bombs."""
MAX_ASPECT_RATIO = 10
BLOCK = 500

T = TypeVar("T")
Picture = tuple[NDArray[np.uint8], int]
"""An image `(3, size, size)` and its label."""


def decode(content: bytes, where: str) -> "Image":
    """Decode a picture to RGB.

    Raises `DataError` unless it is a valid JPEG, PNG or WebP picture of at most `MAX_PIXELS` pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
        pixels = picture.width * picture.height
        if pixels <= MAX_PIXELS:
            return picture.convert("RGB")
    except UnidentifiedImageError:
        raise DataError(f"{where} is not a picture that can be read: neither JPEG, PNG nor WebP") from None
    except Exception as error:  # a damaged picture can fail in any way
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise DataError(f"{where} is not a picture that can be read ({reason})") from None
    raise DataError(f"{where} claims to have {pixels:,} pixels: refused")


def exact(picture: "Image", size: int, where: str) -> NDArray[np.uint8]:
    """Return a picture as `(3, size, size)`.

    Raises `DataError` if it has another size.
    """
    if picture.size != (size, size):
        raise DataError(f"{where} has {picture.width} x {picture.height} pixels, not {size} x {size}")
    return np.asarray(picture).transpose(2, 0, 1)


def squeeze(picture: "Image", size: int) -> NDArray[np.uint8]:
    """Resize a picture to `(3, size, size)`, ignoring its aspect ratio."""
    return np.asarray(_scaled(picture, size, size)).transpose(2, 0, 1)


def fit(picture: "Image", size: int, where: str) -> NDArray[np.uint8]:
    """Resize the short side of a picture to `size` and return the centre crop `(3, size, size)`.

    Raises `DataError` if the aspect ratio exceeds `MAX_ASPECT_RATIO`, since resizing would need unbounded memory.
    """
    short = min(picture.size)
    if max(picture.size) > MAX_ASPECT_RATIO * short:
        raise DataError(
            f"{where} has {picture.width} x {picture.height} pixels: its aspect ratio is above {MAX_ASPECT_RATIO}"
        )
    scaled = _scaled(picture, *(side * size // short for side in picture.size))
    left, top = (round((side - size) / 2) for side in scaled.size)
    return np.asarray(scaled.crop((left, top, left + size, top + size))).transpose(2, 0, 1)


def _scaled(picture: "Image", width: int, height: int) -> "Image":
    from PIL import Image

    return picture.resize((width, height), Image.Resampling.BILINEAR)


def in_parts(names: Sequence[T], read: Callable[[T], Picture], splits: tuple[str, ...]) -> Iterator[Chunk]:
    """Yield chunks of one block each; pictures are read lazily, with their block."""
    for start in range(0, len(names), BLOCK):
        yield partial(_block, names[start : start + BLOCK], read, splits)


def _block(names: Sequence[T], read: Callable[[T], Picture], splits: tuple[str, ...]) -> Iterator[Block]:
    images, labels = zip(*map(read, names), strict=True)
    yield labelled(splits, np.stack(images), np.array(labels, dtype=np.int64))
