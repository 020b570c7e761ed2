"""What methods ask of a diffusion process, whatever its time and its noise are."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from harness.config.samplers import Sampler
from harness.randomness import Stream

Predictor = Callable[[Tensor, Tensor], Tensor]
"""A network's pass: maps noisy images and their times `(batch,)` to what the process has it predict."""


@runtime_checkable
class DiffusionProcess(Protocol):
    """A module built from a process and a dataset of images, which are in [-1, 1] here.

    Draws for the images of a batch are at their `rows`.
    """

    def training_loss(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the loss of clean images, a scalar: the mean over the batch."""
        ...

    def sample(
        self, sampler: Sampler, predict: Predictor, shape: tuple[int, ...], stream: Stream, rows: Tensor
    ) -> Tensor:
        """Return the samples with these indices, `(len(rows), *shape)`."""
        ...

    def bits_per_dim(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return an upper bound on the negative log-likelihood of each image `(batch,)`, in bits per dimension."""
        ...
