"""Cuts an order into pieces of fixed size, and reassembles batches of any size from pieces."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Piece = tuple[Tensor, Tensor]
"""Images `(n, channels, size, size)` uint8 and labels `(n,)` int64 on the CPU."""


def rebatch(order: Iterable[Tensor], size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the same positions in arrays of `size`; the last may be smaller."""
    waiting = np.empty(0, dtype=np.int64)
    for indices in order:
        waiting = np.concatenate([waiting, indices.numpy()])
        whole = len(waiting) // size * size
        yield from waiting[:whole].reshape(-1, size)
        waiting = waiting[whole:]
    if len(waiting):
        yield waiting


class BatchAssembler:
    """Reassembles batches from pieces.

    A piece is copied completely before the next one is requested, so its memory may then be reused.
    """

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._rest: Piece = (torch.empty(0), torch.empty(0))

    def fill(self, target: Piece) -> Piece:
        """Fill a target with the next images and labels, and return it."""
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
