"""Which examples a step takes, and which a rank evaluates: functions of addresses and counts alone."""

from functools import lru_cache

from torch import Tensor

from harness.errors import SpecError
from harness.randomness import Stream


class ShuffledOrder:
    """Batches of successive fresh permutations: whole batches only, so that no example stands twice in one.

    The indices are a function of the step. As in the authors' code, an epoch is several passes and repeats nothing.
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
    """Return the positions of `n` that belong to a rank: the parts of all ranks cover each position exactly once.

    They are contiguous and differ by at most one in length. Nothing is padded, so some are empty when `n` is smaller
    than `world_size`. Raises `ValueError` for a rank that there is not.
    """
    if not 0 <= rank < world_size:
        raise ValueError(f"rank {rank}: allowed are 0 to {world_size - 1}")
    return range(n * rank // world_size, n * (rank + 1) // world_size)
