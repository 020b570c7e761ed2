"""The passes of networks, one Protocol each: what methods call, on tensors of a batch."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Forward(Protocol):
    """Any module."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the module makes of its inputs."""
        ...


@runtime_checkable
class Logits(Protocol):
    """A network that classifies."""

    def logits(self, inputs: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)`."""
        ...


@runtime_checkable
class PredictNoise(Protocol):
    """A network that denoises."""

    def predict_noise(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Return the predicted noise, shaped like `noisy`, for integer timesteps `(batch,)`."""
        ...


@runtime_checkable
class Features(Protocol):
    """A network whose first layer can be asked alone."""

    def features(self, images: Tensor) -> Tensor:
        """Return what the first layer makes of images."""
        ...


@runtime_checkable
class LogitsFrom(Protocol):
    """A network that goes on from the output of its first layer."""

    def logits_from(self, features: Tensor) -> Tensor:
        """Return class logits of what the first layer has made."""
        ...


@runtime_checkable
class Generate(Protocol):
    """A network that makes images of noise."""

    def generate(self, noise: Tensor) -> Tensor:
        """Return the images that standard normal `noise` `(batch, noise_dim)` becomes."""
        ...
