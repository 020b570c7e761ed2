"""What methods expect of a network."""

from typing import ClassVar

import torch
from torch import Tensor, nn


class ImageNetwork(nn.Module):
    """A network of images in [-1, 1]. A subclass offers some passes, and names those that may be made faster."""

    PASSES: ClassVar[tuple[str, ...]] = ("logits", "predict_noise")

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights from a CPU generator."""
        raise NotImplementedError

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)`."""
        raise NotImplementedError

    def predict_noise(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Return the predicted noise, shaped like `noisy`, for integer timesteps `(batch,)`."""
        raise NotImplementedError

    def features(self, images: Tensor) -> Tensor:
        """Return what the first layer makes of images."""
        raise NotImplementedError

    def logits_from(self, features: Tensor) -> Tensor:
        """Return class logits of what the first layer has made."""
        raise NotImplementedError

    def generate(self, noise: Tensor) -> Tensor:
        """Return the images that standard normal `noise` `(batch, noise_dim)` becomes."""
        raise NotImplementedError


def laid_out(images: Tensor) -> Tensor:
    """Return images in the memory layout in which convolutions are fast: channels last on a GPU."""
    return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images
