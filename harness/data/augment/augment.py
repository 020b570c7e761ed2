"""Augmentation of a whole batch as tensors, with addressed randomness (HybViT Appendix C.2; the authors' code).

Images are `(batch, channels, size, size)` float32 in [-1, 1]. Every operation draws per image, indexed by its row.
Draws that affect control flow are made on the CPU, to avoid synchronising with the device.
"""

from dataclasses import dataclass
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.config.augmentation import Augmentation, Policy
from harness.config.dataset import Dataset, Images
from harness.config.resolve import resolve
from harness.data.batches import Batch, Mixture, TrainBatch
from harness.errors import SpecError
from harness.randomness import Draws, Streams

BACKGROUND = -1.0
ERASED = 0.5
"""The fill value of random erasing, in the normalised range (the authors' code)."""
ERASING_TRIES = 100


@dataclass(frozen=True)
class RowSelection:
    """The rows of the global batches of several steps that one rank loads, on the CPU.

    `rows` `(steps, loaded)` are positions in the global batch, the rank's own rows first. `partners` `(steps, own)`
    has, for each own image, the index of its mixing partner among the loaded rows.
    """

    rows: Tensor
    partners: Tensor


def check_applicable(config: Augmentation, data: Dataset) -> None:
    """Raise `SpecError` if an augmentation does not apply to a dataset: it needs images, and mixing needs classes."""
    if not isinstance(data, Images):
        raise SpecError(f"augmentation is for images: dataset '{data.name}' holds {data.kind}")
    if config.mix and not data.num_classes:
        raise SpecError(f"mix={config.mix:g} mixes labels too: dataset '{data.name}' has no classes")


def select(config: Augmentation, streams: Streams, batch_size: int, part: range) -> RowSelection:
    """Select the rows that a rank loads: its part of the global batches, and the rows they are mixed with.

    If the rank owns the whole batch, the partners are among its own rows.
    """
    own = torch.arange(part.start, part.stop).expand(len(streams), -1)
    if not config.mix:
        return RowSelection(own, own - part.start)
    partners = streams.at("mixing", "partner").permutations(batch_size)
    if len(part) == batch_size:
        return RowSelection(own, partners)
    places = torch.arange(len(part), 2 * len(part)).expand(len(streams), -1)
    return RowSelection(torch.cat([own, partners[:, part.start : part.stop]], dim=1), places)


def augment(batch: Batch, config: Augmentation, streams: Streams, selection: RowSelection) -> TrainBatch:
    """Apply the augmentation in its fixed order: flip, crop, policy, erasing, further steps, then mixing.

    The batch concatenates the selected rows of several steps, each with its own stream. The result equals augmenting
    step by step, at little more than the cost of one step. Raises `HarnessError` if the policy does not support the
    number of channels.
    """
    images, host_rows = batch.images, selection.rows
    rows = host_rows.to(images.device, non_blocking=True)
    if config.flip:
        images = flip(images, rows, streams.at("flip"))
    if config.crop_padding:
        images = crop(images, rows, streams.at("crop"), config.crop_padding)
    images = resolve(config.policy.implementation)(config.policy, images, host_rows, streams.at("policy"))
    if config.erasing:
        images = erase(images, rows, streams.at("erasing"), config.erasing)
    for number, step in enumerate(config.steps):
        images = resolve(step.implementation)(step, images, rows, streams.at("steps", number))
    augmented = batch.replaced(images=images)
    if not config.mix:
        return TrainBatch(batch.data, augmented.fields, rows.flatten())
    chosen = streams.at("mix").uniform(torch.zeros(1, dtype=torch.int64)) < config.mix
    return mix(augmented, streams, chosen, selection)


def flip(images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Flip each image horizontally with probability 0.5."""
    chosen = stream.uniform(rows) < 0.5
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def crop(images: Tensor, rows: Tensor, stream: Draws, padding: int) -> Tensor:
    """Pad each image with black by `padding` pixels and take a random crop of the original size."""
    size = images.shape[-1]
    padded = F.pad(images, (padding,) * 4, value=BACKGROUND)
    top, left = (stream.at(axis).integers(rows, 2 * padding + 1) for axis in ("top", "left"))
    offsets = torch.arange(size, device=images.device)
    y, x = (top[:, None] + offsets)[:, :, None], (left[:, None] + offsets)[:, None, :]
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, y, x].permute(0, 3, 1, 2)


def unchanged(policy: Policy, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Return the images unchanged: no policy."""
    return images


def rotate_and_shear(policy: Policy, images: Tensor, rows: Tensor, stream: Draws) -> Tensor:
    """Rotate by up to 5 degrees and shear by up to 0.1: the policy for digits."""
    draws = stream.uniform(rows.to(images.device, non_blocking=True), 2)
    angle = (2 * draws[:, 0] - 1) * (5 * pi / 180)
    shear = (2 * draws[:, 1] - 1) * 0.1
    matrix = torch.zeros(len(images), 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 0, 1] = angle.cos(), shear - angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = angle.sin(), angle.cos()
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images - BACKGROUND, grid, align_corners=False) + BACKGROUND


def erase(images: Tensor, rows: Tensor, stream: Draws, probability: float) -> Tensor:
    """Erase a random rectangle with the given probability per image (Zhong et al. 2020, Algorithm 1).

    Its area is 2 to 40 % of the image, its aspect ratio 0.3 to 1/0.3. Of a hundred random rectangles, the first that
    fits is used; if none does, the image is unchanged.
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


def mix(batch: Batch, streams: Streams, chosen: Tensor, selection: RowSelection) -> TrainBatch:
    """Mix each image of a chosen step with another of the same step, by CutMix or Mixup with equal probability.

    Both draw lambda from Beta(1, 1), which is uniform (Mixup: Zhang et al. 2018; CutMix: Yun et al. 2019, Eq. 1-2).
    CutMix resets it to the exact fraction of kept pixels. Its box is symmetric about its centre, so its sides are even,
    as in the authors' code. `chosen` is bool `(steps,)`, on the CPU.
    """
    images, labels = batch.images, batch.labels
    size, device = images.shape[-1], images.device
    (steps, loaded), (_, own_rows) = selection.rows.shape, selection.partners.shape
    first_of_step = loaded * torch.arange(steps)[:, None]
    rows, owners, partners = (
        indices.flatten().to(device, non_blocking=True)
        for indices in (
            selection.rows[:, :own_rows],
            first_of_step + torch.arange(own_rows),
            first_of_step + selection.partners,
        )
    )
    coin, lam, y, x = streams.at("mixing").uniform(torch.zeros(1, dtype=torch.int64), 4)[:, :, None].unbind(1)
    reach = (size * (1 - lam).sqrt() / 2).floor()
    top, bottom = ((y * size).floor() + edge * reach for edge in (-1, 1))
    left, right = ((x * size).floor() + edge * reach for edge in (-1, 1))
    top, bottom, left, right = (edge.clamp(0, size) for edge in (top, bottom, left, right))
    stays = 1 - _box(top, left, bottom - top, right - left, size).to(torch.float32)
    own = torch.where(coin[:, :, None] < 0.5, lam[:, :, None], stays)
    own = torch.where(chosen[:, None, None], own, 1)
    kept = own.mean(dim=(1, 2)).repeat_interleave(own_rows)
    own = own[:, None, None].to(device, non_blocking=True)
    pictures = images.unflatten(0, (steps, loaded))[:, :own_rows]
    others = images[partners].unflatten(0, (steps, own_rows))
    mixed = (own * pictures + (1 - own) * others).flatten(0, 1)
    mixture = Mixture(labels[partners], kept.to(device, non_blocking=True))
    return TrainBatch(batch.data, {"images": mixed, "labels": labels[owners]}, rows, mixture)


def _box(top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int) -> Tensor:
    """Return a mask `(batch, size, size)` of rectangles; all arguments but `size` are `(batch, 1)`."""
    line = torch.arange(size, device=top.device)
    rows = (line >= top) & (line < top + height)
    columns = (line >= left) & (line < left + width)
    return rows[:, :, None] & columns[:, None, :]
