"""The fourteen operations of AutoAugment on batches of uint8 images, bit-identical to Pillow.

Images are `(batch, channels, size, size)` uint8 with 1 or 3 channels. Every operation also takes one magnitude per
image, `(batch,)` float64 on the same device, in the unit stated in its docstring, and returns new images. None
synchronises with the device. Truncation, rounding, fixed-point arithmetic, precision and order of operations follow
Pillow, so results are equal, not just close.
"""

from collections.abc import Callable
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = 128
"""The fill value of geometric operations."""

Operation = Callable[[Tensor, Tensor], Tensor]


def shear_x(images: Tensor, magnitude: Tensor) -> Tensor:
    """Shift each row by magnitude times its distance from the top edge, with bicubic interpolation.

    The cubic coefficient is -1, as in Pillow's transforms; Pillow's resizing uses -1/2 and torch -3/4.
    """
    size = images.shape[-1]
    line = torch.arange(size, dtype=torch.float64, device=images.device)
    shift = magnitude[:, None, None] * (line + 0.5)[:, None]
    source, whole = line + 0.5 + shift, shift.floor()
    # The final truncation turns a last-digit error into a whole level: use float64 and Pillow's order of additions.
    d = (source - 0.5 - (line + whole))[:, None]
    columns = torch.arange(-1, size + 2, device=images.device) + whole.to(torch.int64)
    columns = columns.clamp_(0, size - 1)[:, None].expand(-1, images.shape[1], -1, -1)
    row = images.gather(3, columns).to(torch.float64)
    before, at, after, beyond = (row[..., start : start + size] for start in range(4))
    slope = at - before
    cubic = (beyond - after).add_(slope)
    value = (cubic * d).sub_(slope.add_(cubic)).mul_(d).add_(after - before).mul_(d).add_(at)
    outside = ((source < 0) | (source >= size))[:, None]
    return value.clamp_(0, 255).masked_fill_(outside, GREY).to(torch.uint8)


def shear_y(images: Tensor, magnitude: Tensor) -> Tensor:
    """Shift each column by magnitude times its distance from the left edge; otherwise like `shear_x`."""
    return shear_x(images.mT, magnitude).mT


def translate_x(images: Tensor, magnitude: Tensor) -> Tensor:
    """Move the image left by magnitude times its side, rounded to whole pixels."""
    size = images.shape[-1]
    shift = (magnitude * size + 0.5).floor().to(torch.int64)
    source = torch.arange(size, device=images.device) + shift[:, None]
    source = source.masked_fill_((source < 0) | (source >= size), size)
    return F.pad(images, (0, 1), value=GREY).gather(3, source[:, None, None].expand_as(images))


def translate_y(images: Tensor, magnitude: Tensor) -> Tensor:
    """Move the image up by magnitude times its side, rounded to whole pixels."""
    return translate_x(images.mT, magnitude).mT


def rotate(images: Tensor, magnitude: Tensor) -> Tensor:
    """Rotate by `magnitude` degrees counter-clockwise about the centre, with nearest-neighbour interpolation."""
    size = images.shape[-1]
    angle = magnitude[:, None, None] * (pi / 180)
    cos, sin, corner = angle.cos(), angle.sin(), (1 - size) / 2
    line = torch.arange(size, dtype=torch.int32, device=images.device)
    x = _fixed(cos * corner - sin * corner + size / 2) + _fixed(cos) * line - _fixed(sin) * line[:, None]
    y = _fixed(sin * corner + cos * corner + size / 2) + _fixed(sin) * line + _fixed(cos) * line[:, None]
    x, y = x >> 16, y >> 16
    outside = (x < 0) | (x >= size) | (y < 0) | (y >= size)
    source = (y * size + x).masked_fill_(outside, size * size).to(torch.int64)
    source = source.flatten(1)[:, None].expand(-1, images.shape[1], -1)
    return F.pad(images.flatten(2), (0, 1), value=GREY).gather(2, source).reshape(images.shape)


def colour(images: Tensor, magnitude: Tensor) -> Tensor:
    """Scale the distance from the greyscale image by 1 + magnitude."""
    levels = images.to(torch.float32)
    return _enhance(levels, _luma(levels), magnitude)


def contrast(images: Tensor, magnitude: Tensor) -> Tensor:
    """Scale the distance from the image's rounded mean grey level by 1 + magnitude."""
    levels = images.to(torch.float32)
    pixels = images.shape[-1] ** 2
    total = _luma(levels).sum(dim=(2, 3), keepdim=True, dtype=torch.float64)
    mean = torch.div(2 * total + pixels, 2 * pixels, rounding_mode="floor")
    return _enhance(levels, mean.to(torch.float32), magnitude)


def sharpness(images: Tensor, magnitude: Tensor) -> Tensor:
    """Scale the distance from a smoothed image by 1 + magnitude; border pixels are unchanged.

    The smoothing kernel is 5/13 at the centre and 1/13 at the eight neighbours.
    """
    levels = images.to(torch.float32)
    columns = (levels[..., :-2, :] + levels[..., 1:-1, :]).add_(levels[..., 2:, :])
    total = (columns[..., :-2] + columns[..., 1:-1]).add_(columns[..., 2:]).add_(levels[..., 1:-1, 1:-1], alpha=4)
    smooth = levels.clone()
    smooth[..., 1:-1, 1:-1] = total.add_(6.5).div_(13).floor_()
    return _enhance(levels, smooth, magnitude)


def brightness(images: Tensor, magnitude: Tensor) -> Tensor:
    """Scale the distance from black by 1 + magnitude."""
    return _enhance(images.to(torch.float32), torch.zeros((), device=images.device), magnitude)


def posterize(images: Tensor, magnitude: Tensor) -> Tensor:
    """Keep the highest `magnitude` bits, an integer from 1 to 8."""
    lost = (8 - magnitude).to(torch.uint8)[:, None, None, None]
    return images >> lost << lost


def solarize(images: Tensor, magnitude: Tensor) -> Tensor:
    """Invert the pixels at or above the threshold `magnitude`, from 0 to 256."""
    threshold = magnitude.ceil().to(torch.int16)[:, None, None, None]
    # -1 is 255 in eight bits, a mask of all bits; torch.where takes three times as long.
    return images ^ (images.to(torch.int16) >= threshold).to(torch.uint8).neg_()


def autocontrast(images: Tensor, magnitude: Tensor) -> Tensor:
    """Stretch each channel to 0..255; ignores the magnitude. A constant channel is unchanged."""
    pixels = images.flatten(2)
    low, high = (edge.to(torch.float64) for edge in pixels.aminmax(dim=2, keepdim=True))
    # Follow Pillow exactly, since truncation turns a last-digit error into a whole level: divide tensors (torch divides
    # a number by a tensor through the reciprocal), and add an offset instead of subtracting the lowest level first.
    scale = torch.full_like(high, 255) / (high - low)
    levels = torch.arange(256, dtype=torch.float64, device=images.device)
    stretched = (levels * scale + -low * scale).clamp_(0, 255)
    return _look_up(torch.where(high > low, stretched, levels), pixels.to(torch.int64)).reshape(images.shape)


def equalize(images: Tensor, magnitude: Tensor) -> Tensor:
    """Equalise the histogram of each channel; ignores the magnitude.

    A level becomes the number of pixels below it, in units of 1/255 of all pixels but the brightest, rounded and at
    most 255. A channel is unchanged if that unit is less than one pixel.
    """
    pixels = images.flatten(2).to(torch.int64)
    one = torch.ones((), dtype=torch.int64, device=images.device)
    histogram = pixels.new_zeros(*pixels.shape[:2], 256).scatter_add_(2, pixels, one.expand_as(pixels))
    below = histogram.cumsum(dim=2) - histogram
    unit = below.gather(2, pixels.amax(dim=2, keepdim=True)) // 255
    spread = ((unit // 2 + below) // unit.clamp(min=1)).clamp_(max=255)
    levels = torch.arange(256, device=images.device)
    return _look_up(torch.where(unit > 0, spread, levels), pixels).reshape(images.shape)


def invert(images: Tensor, magnitude: Tensor) -> Tensor:
    """Invert all pixels; ignores the magnitude."""
    return 255 - images


OPERATIONS: dict[str, Operation] = {
    "shear_x": shear_x,
    "shear_y": shear_y,
    "translate_x": translate_x,
    "translate_y": translate_y,
    "rotate": rotate,
    "colour": colour,
    "contrast": contrast,
    "sharpness": sharpness,
    "brightness": brightness,
    "posterize": posterize,
    "solarize": solarize,
    "autocontrast": autocontrast,
    "equalize": equalize,
    "invert": invert,
}


def _fixed(value: Tensor) -> Tensor:
    """Convert to the fixed-point format of Pillow's rotation, 1/65536 pixel; valid for sides of up to 2^14 pixels."""
    return (value * 65536 + 0.5).floor().to(torch.int32)


def _luma(levels: Tensor) -> Tensor:
    """Return ITU-R 601 grey levels `(batch, 1, size, size)` with Pillow's weights; exact in float32."""
    if levels.shape[1] == 1:
        return levels
    red, green, blue = levels.split(1, dim=1)
    total = (19595 * red).add_(green, alpha=38470).add_(blue, alpha=7471)
    return total.add_(32768).mul_(1 / 65536).floor_()


def _enhance(levels: Tensor, plain: Tensor, magnitude: Tensor) -> Tensor:
    """Return plain + (1 + magnitude) (levels - plain), clamped to 0..255 and truncated."""
    factor = (1 + magnitude).to(torch.float32)[:, None, None, None]
    return (levels - plain).mul_(factor).add_(plain).clamp_(0, 255).to(torch.uint8)


def _look_up(table: Tensor, pixels: Tensor) -> Tensor:
    """Map pixels `(batch, channels, pixels)` int64 through lookup tables `(batch, channels, 256)`."""
    return table.to(torch.uint8).gather(2, pixels)
