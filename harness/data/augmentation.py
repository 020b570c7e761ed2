"""Augmentation of a whole batch as tensors, with addressed randomness (HybViT Appendix C.2; the authors' code).

Images are `(batch, channels, size, size)` float32 in [-1, 1], and every operation draws per image by its row. What
decides about the course of the work is drawn on the CPU, so that no part of it waits for the device.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.data.autoaugment import autoaugment
from harness.data.loaders import Batch
from harness.randomness import Draws, Streams
from harness.spec.methods import Augmentation

BACKGROUND = -1.0
ERASED = 0.5
"""Random erasing fills with this value of the normalised range (the authors' code)."""
ERASING_TRIES = 100


@dataclass(frozen=True)
class Mixed:
    """An augmented batch with two labels per image; the first has the weight `share`, the second the rest."""

    images: Tensor
    labels: Tensor
    partner_labels: Tensor
    share: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, size: int) -> "Iterator[Mixed]":
        """Yield parts of this size, in order."""
        parts = (tensor.split(size) for tensor in (self.images, self.labels, self.partner_labels, self.share))
        return starmap(Mixed, zip(*parts, strict=True))


def unmixed(images: Tensor, labels: Tensor) -> Mixed:
    """Return images with one label each."""
    return Mixed(images, labels, labels, torch.ones(len(labels), device=images.device))


def augment(batch: Batch, config: Augmentation, streams: Streams) -> Mixed:
    """Apply the augmentation in its fixed order: flip, crop, policy, erasing, then mixing.

    The batch may hold the images of several steps, one after the other, each with a stream of its own: the result is
    the same as step by step, at the cost of one. Raises `HarnessError` for images whose number of channels the policy
    does not know.
    """
    images = batch.images
    host_rows = torch.arange(len(batch) // len(streams))
    rows = host_rows.to(images.device)
    if config.flip:
        images = flip(images, rows, streams.at("flip"))
    if config.crop_padding:
        images = crop(images, rows, streams.at("crop"), config.crop_padding)
    if config.policy == "digits":
        images = wobble(images, rows, streams.at("policy"))
    elif config.policy != "none":
        images = autoaugment(images, host_rows, streams.at("policy"), config.policy)
    if config.erasing:
        images = erase(images, rows, streams.at("erasing"), config.erasing)
    if not config.mix:
        return unmixed(images, batch.labels)
    chosen = streams.at("mix").uniform(host_rows[:1]) < config.mix
    return mix(images, batch.labels, streams.at("mixing"), chosen)


def flip(images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Mirror each image left to right with probability 0.5."""
    chosen = stream.uniform(rows) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def crop(images: Tensor, rows: Tensor, stream: Draws, padding: int) -> Tensor:
    """Shift each image by up to `padding` pixels in both directions, over a black border."""
    size = images.shape[-1]
    padded = F.pad(images, (padding,) * 4, value=BACKGROUND)
    top, left = (stream.at(axis).integers(rows, 2 * padding + 1) for axis in ("top", "left"))
    offsets = torch.arange(size, device=images.device)
    y, x = (top[:, None] + offsets)[:, :, None], (left[:, None] + offsets)[:, None, :]
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, y, x].permute(0, 3, 1, 2)


def wobble(images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Rotate by up to 5 degrees, shear by up to 0.1: the policy of digits."""
    draws = stream.uniform(rows, 2)
    angle = (2 * draws[:, 0] - 1) * (5 * pi / 180)
    shear = (2 * draws[:, 1] - 1) * 0.1
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 0, 1] = angle.cos(), shear - angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = angle.sin(), angle.cos()
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images - BACKGROUND, grid, align_corners=False) + BACKGROUND


def erase(images: Tensor, rows: Tensor, stream: Draws, probability: float) -> Tensor:
    """Fill a random rectangle of 2 to 40 % of the area, aspect 0.3 to 1/0.3, in a share of the images.

    The first of a hundred rectangles that fits inside the image is taken; where none fits the image stays whole.
    """
    size = images.shape[-1]
    draws = stream.uniform(rows, ERASING_TRIES, 4)
    area = (0.02 + 0.38 * draws[..., 0]) * size**2
    aspect = 0.3 + (1 / 0.3 - 0.3) * draws[..., 1]
    height, width = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (height < size) & (width < size) & (height > 0) & (width > 0)
    chosen = fits.to(torch.int8).argmax(dim=1, keepdim=True)
    height, width = height.gather(1, chosen), width.gather(1, chosen)
    top = (draws[..., 2].gather(1, chosen) * (size - height + 1)).floor()
    left = (draws[..., 3].gather(1, chosen) * (size - width + 1)).floor()
    erased = stream.at("chosen").uniform(rows) < probability
    box = _box(top, left, height, width, size) & (erased & fits.any(dim=1))[:, None, None]
    return torch.where(box[:, None], ERASED, images)


def mix(images: Tensor, labels: Tensor, streams: Streams, chosen: Tensor) -> Mixed:
    """Mix each image of a chosen step with another one of it, by CutMix or by Mixup with equal probability.

    Both draw their share from Beta(1, 1), which is uniform; CutMix corrects it to the pixels that stayed. Its box
    reaches equally far to both sides of its centre, so that its side is even, as in the authors' code. `chosen` is bool
    `(steps,)`, on the CPU.
    """
    steps, size, device = len(streams), images.shape[-1], images.device
    batch_size = len(images) // steps
    starts = batch_size * torch.arange(steps, device=device)[:, None]
    partner = (streams.at("partner").permutations(batch_size, device) + starts).flatten()
    coin, share, y, x = streams.uniform(torch.zeros(1, dtype=torch.int64), 4)[:, :, None].unbind(1)
    reach = (size * (1 - share).sqrt() / 2).floor()
    top, bottom = ((y * size).floor() + edge * reach for edge in (-1, 1))
    left, right = ((x * size).floor() + edge * reach for edge in (-1, 1))
    top, bottom, left, right = (edge.clamp(0, size) for edge in (top, bottom, left, right))
    stays = 1 - _box(top, left, bottom - top, right - left, size).to(torch.float32)
    own = torch.where(coin[:, :, None] < 0.5, share[:, :, None], stays)
    own = torch.where(chosen[:, None, None], own, 1)
    kept = own.mean(dim=(1, 2)).repeat_interleave(batch_size)
    own = own[:, None, None].to(device, non_blocking=True)
    pictures, others = (picked.unflatten(0, (steps, batch_size)) for picked in (images, images[partner]))
    mixed = (own * pictures + (1 - own) * others).flatten(0, 1)
    return Mixed(mixed, labels, labels[partner], kept.to(device, non_blocking=True))


def _box(top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int) -> Tensor:
    """Return a mask `(batch, size, size)` of rectangles whose corners and sides have the shape `(batch, 1)`."""
    line = torch.arange(size, device=top.device)
    rows = (line >= top) & (line < top + height)
    columns = (line >= left) & (line < left + width)
    return rows[:, :, None] & columns[:, None, :]
