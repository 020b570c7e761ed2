"""Replay buffer of chain states, from which later steps continue (Du and Mordatch 2019, §3; after Tieleman 2008).

It is identical on every rank, and part of the method's state.
"""

import torch
from torch import Tensor, nn

from harness.methods.base import Step


class ReplayBuffer(nn.Module):
    """A fixed number of images; every step uses `batch_size` distinct ones."""

    images: Tensor

    def __init__(self, size: int, image_shape: tuple[int, ...], reinitialised: float) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *image_shape))
        self._reinitialised = reinitialised

    def __len__(self) -> int:
        return len(self.images)

    def slots(self, step: Step) -> Tensor:
        """Return the slot of each row of the global batch, `(batch_size,)`, without repetition."""
        return step.stream.at("replay", "slot").permutation(len(self), self.images.device)[: step.batch_size]

    def begin(self, step: Step, rows: Tensor, fresh: Tensor) -> Tensor:
        """Return the initial states of `rows`: `fresh` with the reinitialisation probability, else from the buffer."""
        restarts = step.stream.at("replay", "anew").uniform(rows) < self._reinitialised
        return torch.where(restarts[:, None, None, None], fresh, self.images[self.slots(step)[rows]])

    def keep(self, step: Step, rows: Tensor, ends: Tensor) -> None:
        """Store the final states of `rows` in their slots, all-gathered so that the buffer agrees on every rank."""
        self.images[self.slots(step)] = step.gather_rows(ends, rows)
