"""Assigns examples to steps and ranks, as functions of addresses and counts only."""

from functools import lru_cache

from torch import Tensor

from harness.errors import SpecError
from harness.randomness import Stream


class ShuffledOrder:
    """Batches from successive permutations of the split: full batches only, so no batch repeats an example.

    The indices are a function of the step. As in the authors' code, an epoch can be several passes, each a permutation.
    """

    def __init__(self, stream: Stream, examples: int, batch_size: int) -> None:
        if batch_size > examples:
            raise SpecError(f"batch_size={batch_size} exceeds the {examples} training examples")
        self.batch_size = batch_size
        self._batches = examples // batch_size
        self._permutation = lru_cache(maxsize=2)(lambda n: stream.at(n).permutation(examples))

    def indices(self, step: int) -> Tensor:
        """Return the indices of the batch of a step, `(batch_size,)` int64 on the CPU."""
        permutation, position = divmod(step, self._batches)
        start = position * self.batch_size
        return self._permutation(permutation)[start : start + self.batch_size]


def shard(n: int, rank: int, world_size: int) -> range:
    """Return the contiguous part of `range(n)` that belongs to a rank; the parts of all ranks partition it.

    Lengths differ by at most one. There is no padding, so some parts are empty if `n` is smaller than `world_size`.
    Raises `ValueError` for an invalid rank.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank {rank}: allowed are 0 to {world_size - 1}")
    return range(n * rank // world_size, n * (rank + 1) // world_size)
