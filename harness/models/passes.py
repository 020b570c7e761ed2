"""The passes of networks that methods call, one Protocol each."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Forward(Protocol):
    """Any module."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output of the module."""
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
    """A network whose first layer can be evaluated separately."""

    def features(self, images: Tensor) -> Tensor:
        """Return the output of the first layer."""
        ...


@runtime_checkable
class LogitsFrom(Protocol):
    """A network that can resume from the output of its first layer."""

    def logits_from(self, features: Tensor) -> Tensor:
        """Return class logits from the output of the first layer."""
        ...


@runtime_checkable
class Generate(Protocol):
    """A network that generates images from noise."""

    def generate(self, noise: Tensor) -> Tensor:
        """Generate images from standard normal `noise` `(batch, noise_dim)`."""
        ...
