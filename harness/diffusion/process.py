"""The interface of diffusion processes, for any kind of time and noise."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from torch import Tensor

from harness.config.samplers import Sampler
from harness.randomness import Stream

Predictor = Callable[[Tensor, Tensor], Tensor]
"""A network pass: maps noisy images and times `(batch,)` to the prediction that the process trains."""


@runtime_checkable
class DiffusionProcess(Protocol):
    """A module built from a process configuration and an image dataset. Images are in [-1, 1].

    Random draws for a batch are indexed by `rows`.
    """

    def training_loss(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the training loss of clean images, a scalar averaged over the batch."""
        ...

    def sample(
        self, sampler: Sampler, predict: Predictor, shape: tuple[int, ...], stream: Stream, rows: Tensor
    ) -> Tensor:
        """Return the samples with these indices, `(len(rows), *shape)`."""
        ...

    def bits_per_dim(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return an upper bound on the negative log-likelihood of each image `(batch,)`, in bits per dimension."""
        ...
