"""Loaders: batches of images by index. Which indices a step takes is decided here too, and only by addresses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from harness.data.prepared import Images, Labels
from harness.randomness import Stream
from harness.spec.errors import SpecError


@dataclass(frozen=True)
class Batch:
    """Images in [-1, 1], `(batch, channels, size, size)` float32, with labels and indices `(batch,)` int64."""

    images: Tensor
    labels: Tensor
    indices: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class Loader(Protocol):
    """A split of a dataset that hands out batches by index, whatever keeps the pixels."""

    def __len__(self) -> int: ...

    def batches(self, order: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield one batch for each tensor of positions in the split, in this order.

        A loader may read ahead in `order`. Whoever leaves the iteration early closes it.
        """
        ...

    def blocks(self, size: int) -> Iterator[Batch]:
        """Yield the whole split in order, every image once, in blocks of `size` (the last may be smaller)."""
        ...


class ResidentLoader:
    """The whole split as uint8 on the device: the fastest loader while it fits."""

    def __init__(self, images: Images, labels: Labels, device: torch.device) -> None:
        self._images = torch.from_numpy(np.array(images)).to(device)
        self._labels = torch.from_numpy(np.array(labels)).to(device)

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, indices: Tensor) -> Batch:
        """Return the images at these positions of the split."""
        indices = indices.to(self._labels.device)
        return Batch(to_signed(self._images[indices]), self._labels[indices], indices)

    def batches(self, order: Iterable[Tensor]) -> Iterator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        return map(self.batch, order)

    def blocks(self, size: int) -> Iterator[Batch]:
        """Yield the whole split in order, every image once."""
        return self.batches(torch.arange(len(self)).split(size))


class ShuffledOrder:
    """Batches of successive fresh permutations: whole batches only, so that no image stands twice in one.

    The indices are a function of the step. As in the authors' code, an epoch is several passes and repeats nothing.
    """

    def __init__(self, stream: Stream, examples: int, batch_size: int) -> None:
        if batch_size > examples:
            raise SpecError(f"batch_size={batch_size} exceeds the {examples} training examples")
        self._batch_size = batch_size
        self._batches = examples // batch_size
        self._permutation = lru_cache(maxsize=2)(lambda n: stream.at(n).permutation(examples))

    def indices(self, step: int) -> Tensor:
        """Return the indices of the batch of a step, `(batch_size,)` int64 on the CPU."""
        permutation, position = divmod(step, self._batches)
        start = position * self._batch_size
        return self._permutation(permutation)[start : start + self._batch_size]


def to_signed(images: Tensor) -> Tensor:
    """Map uint8 pixels to float32 in [-1, 1]."""
    return (images / 127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Map float images in [-1, 1] to uint8, truncating as the authors' code does."""
    return ((images.clamp(-1, 1) + 1) * 127.5).to(torch.uint8)
