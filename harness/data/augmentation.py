"""Augmentation of a whole batch as tensors, with addressed randomness (HybViT Appendix C.2; the authors' code).

Images are `(batch, channels, size, size)` float32 in [-1, 1], and every operation draws per image by its row. What
decides about the course of the work is drawn on the CPU, so that no part of it waits for the device.
"""

from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.data.autoaugment import autoaugment
from harness.data.loaders import Batch
from harness.randomness import Stream
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


def augment(batch: Batch, config: Augmentation, stream: Stream) -> Mixed:
    """Apply the augmentation in its fixed order: flip, crop, policy, erasing, then mixing over the batch.

    Raises `HarnessError` for images whose number of channels the policy does not know.
    """
    images, labels = batch.images, batch.labels
    host_rows = torch.arange(len(batch))
    rows = torch.arange(len(batch), device=images.device)
    if config.flip:
        images = flip(images, rows, stream.at("flip"))
    if config.crop_padding:
        images = crop(images, rows, stream.at("crop"), config.crop_padding)
    if config.policy == "digits":
        images = wobble(images, rows, stream.at("policy"))
    elif config.policy != "none":
        images = autoaugment(images, host_rows, stream.at("policy"), config.policy)
    if config.erasing:
        images = erase(images, rows, stream.at("erasing"), config.erasing)
    if config.mix and stream.at("mix").uniform(host_rows[:1]).item() < config.mix:
        return mix(images, labels, stream.at("mixing"))
    return Mixed(images, labels, labels, torch.ones(len(batch), device=images.device))


def flip(images: Tensor, rows: Tensor, stream: Stream) -> Tensor:
    """Mirror each image left to right with probability 0.5."""
    chosen = stream.uniform(rows) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def crop(images: Tensor, rows: Tensor, stream: Stream, padding: int) -> Tensor:
    """Shift each image by up to `padding` pixels in both directions, over a black border."""
    size = images.shape[-1]
    padded = F.pad(images, (padding,) * 4, value=BACKGROUND)
    top, left = (stream.at(axis).integers(rows, 2 * padding + 1) for axis in ("top", "left"))
    offsets = torch.arange(size, device=images.device)
    y, x = (top[:, None] + offsets)[:, :, None], (left[:, None] + offsets)[:, None, :]
    return padded.permute(0, 2, 3, 1)[rows[:, None, None], y, x].permute(0, 3, 1, 2)


def wobble(images: Tensor, rows: Tensor, stream: Stream) -> Tensor:
    """Rotate by up to 5 degrees, shear by up to 0.1: the policy of digits."""
    draws = stream.uniform(rows, 2)
    angle = (2 * draws[:, 0] - 1) * (5 * pi / 180)
    shear = (2 * draws[:, 1] - 1) * 0.1
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 0, 1] = angle.cos(), shear - angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = angle.sin(), angle.cos()
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images - BACKGROUND, grid, align_corners=False) + BACKGROUND


def erase(images: Tensor, rows: Tensor, stream: Stream, probability: float) -> Tensor:
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


def mix(images: Tensor, labels: Tensor, stream: Stream) -> Mixed:
    """Mix every image with a partner of the batch, by CutMix or by Mixup with equal probability.

    Both draw their share from Beta(1, 1), which is uniform; CutMix corrects it to the pixels that stayed.
    """
    n, size, device = len(images), images.shape[-1], images.device
    partner = stream.at("partner").permutation(n, device)
    coin, share, y, x = stream.uniform(torch.zeros(1, dtype=torch.int64), 4)[0]
    if coin < 0.5:
        share = share.to(device, non_blocking=True)
        mixed = share * images + (1 - share) * images[partner]
        return Mixed(mixed, labels, labels[partner], share.expand(n))
    side = (size * (1 - share).sqrt()).floor()
    top, bottom = ((y * size).floor() + edge * side / 2 for edge in (-1, 1))
    left, right = ((x * size).floor() + edge * side / 2 for edge in (-1, 1))
    top, bottom, left, right = (edge.floor().clamp(0, size)[None, None] for edge in (top, bottom, left, right))
    box = _box(top, left, bottom - top, right - left, size)
    kept = (1 - box.to(torch.float32).mean()).to(device, non_blocking=True)
    mixed = torch.where(box[:, None].to(device, non_blocking=True), images[partner], images)
    return Mixed(mixed, labels, labels[partner], kept.expand(n))


def _box(top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int) -> Tensor:
    """Return a mask `(batch, size, size)` of rectangles whose corners and sides have the shape `(batch, 1)`."""
    line = torch.arange(size, device=top.device)
    rows = (line >= top) & (line < top + height)
    columns = (line >= left) & (line < left + width)
    return rows[:, :, None] & columns[:, None, :]
