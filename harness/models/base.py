"""What methods expect of a network."""

from typing import ClassVar

import torch
from torch import Tensor, nn


class ImageNetwork(nn.Module):
    """A network of images in [-1, 1]. A subclass offers those of the `PASSES` that its methods need."""

    PASSES: ClassVar = ("logits", "predict_noise")

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights from a CPU generator."""
        raise NotImplementedError

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)`."""
        raise NotImplementedError

    def predict_noise(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Return the predicted noise, shaped like `noisy`, for integer timesteps `(batch,)`."""
        raise NotImplementedError
