"""A replay buffer: where the chains of earlier steps ended, so that later steps can go on from there.

It is the same on every rank, and part of the method's state (Du and Mordatch 2019, §3; after Tieleman 2008).
"""

import torch
from torch import Tensor, nn

from harness.methods.base import Step


class ReplayBuffer(nn.Module):
    """A fixed number of images, of which every step draws as many different ones as a batch has rows."""

    images: Tensor

    def __init__(self, size: int, image_shape: tuple[int, ...], reinitialised: float) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *image_shape))
        self._reinitialised = reinitialised

    def __len__(self) -> int:
        return len(self.images)

    def slots(self, step: Step) -> Tensor:
        """Return the slots `(batch_size,)` of the step, by row of the global batch, no slot twice."""
        return step.stream.at("replay", "slot").permutation(len(self), self.images.device)[: step.batch_size]

    def begin(self, step: Step, rows: Tensor, fresh: Tensor) -> Tensor:
        """Return where the chains of some rows begin: in their slots, or some of them at a `fresh` image."""
        anew = step.stream.at("replay", "anew").uniform(rows) < self._reinitialised
        return torch.where(anew[:, None, None, None], fresh, self.images[self.slots(step)[rows]])

    def keep(self, step: Step, rows: Tensor, ends: Tensor) -> None:
        """Put where the chains of some rows have ended into their slots, and on every rank those of all rows."""
        self.images[self.slots(step)] = step.gather_rows(ends, rows)
