"""What loaders have in common that fetch pixels ahead of their use, in pieces of their own size."""

from abc import abstractmethod
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import tee

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.loaders.base import Batch, Loader, to_device
from harness.data.loaders.pixels import to_signed

Piece = tuple[Tensor, Tensor]
"""Images `(n, channels, size, size)` uint8 and labels `(n,)` int64 on the CPU."""


class StreamingLoader(Loader):
    """Puts batches together from pieces of any size that come in the order of the positions."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        """Take the shape of the whole split, `(n, channels, size, size)`."""
        self._shape = shape
        self._device = device

    def __len__(self) -> int:
        return self._shape[0]

    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        wanted, ahead = tee(self._checked(order))
        with closing(self.pieces(ahead)) as pieces:
            source = _Source(pieces)
            for indices in wanted:
                images, labels = source.take(self._empty(len(indices)))
                signed = to_signed(to_device(images, self._device))
                yield Batch(signed, to_device(labels, self._device), to_device(indices, self._device))

    @abstractmethod
    def pieces(self, order: Iterator[Tensor]) -> Generator[Piece]:
        """Yield images and labels of the positions one after the other, in pieces of any size.

        A piece is read before the next one is asked for; its memory may then be used again.
        """

    def _checked(self, order: Iterable[Tensor]) -> Iterator[Tensor]:
        for indices in order:
            if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < len(self):
                raise IndexError(f"position outside of the split: allowed are 0 to {len(self) - 1}")
            yield indices

    def _empty(self, count: int) -> Piece:
        pinned = self._device.type == "cuda"
        images = torch.empty((count, *self._shape[1:]), dtype=torch.uint8, pin_memory=pinned)
        return images, torch.empty(count, dtype=torch.int64, pin_memory=pinned)


class _Source:
    """Pieces, taken from in amounts of other sizes."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._rest: Piece = (torch.empty(0), torch.empty(0))

    def take(self, target: Piece) -> Piece:
        """Fill a target with what comes next and return it."""
        filled, count = 0, len(target[1])
        while filled < count:
            if not len(self._rest[1]):
                self._rest = next(self._pieces)
            part = min(count - filled, len(self._rest[1]))
            for whole, rest in zip(target, self._rest, strict=True):
                whole[filled : filled + part] = rest[:part]
            self._rest = self._rest[0][part:], self._rest[1][part:]
            filled += part
        return target


def recut(order: Iterable[Tensor], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the same positions in arrays of this size, of which the last may be smaller."""
    waiting = np.empty(0, dtype=np.int64)
    for indices in order:
        waiting = np.concatenate([waiting, indices.numpy()])
        whole = len(waiting) // size * size
        yield from waiting[:whole].reshape(-1, size)
        waiting = waiting[whole:]
    if len(waiting):
        yield waiting
