"""Generator networks."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.dataset import Images
from harness.config.networks import ResNetGenerator as Spec
from harness.models.base import ImageNetwork
from harness.models.batch_norm import BatchNorm


class DoublingBlock(nn.Module):
    """Residual block of two BatchNorm-ReLU-convolution layers that upsamples by 2 before the first convolution."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm1 = BatchNorm(features)
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.norm2 = BatchNorm(features)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample by 2."""
        h = self.conv1(doubled(F.relu(self.norm1(x))))
        return doubled(x) + self.conv2(F.relu(self.norm2(h)))


class ResNetGenerator(ImageNetwork):
    """The ResNet generator of VERA's code, for noise `(batch, noise_dim)`."""

    PASSES: ClassVar[tuple[str, ...]] = ("generate",)

    def __init__(self, config: Spec, data: Images) -> None:
        super().__init__()
        self.noise_dim = config.noise_dim
        self.grid = config.features, config.smallest(data), config.smallest(data)
        self.stem = nn.Linear(config.noise_dim, config.features * config.smallest(data) ** 2)
        self.blocks = nn.Sequential(*(DoublingBlock(config.features) for _ in range(config.doublings)))
        self.norm = BatchNorm(config.features)
        self.image_head = nn.Conv2d(config.features, data.channels, 3, padding=1)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights: Xavier-uniform, convolutions with the gain of ReLU; zero biases."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                gain = nn.init.calculate_gain("linear" if module is self.stem else "relu")
                nn.init.xavier_uniform_(module.weight, gain, generator)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def generate(self, noise: Tensor) -> Tensor:
        """Generate images `(batch, channels, size, size)` in [-1, 1]."""
        h = self.blocks(self.stem(noise).unflatten(1, self.grid))
        return self.image_head(F.relu(self.norm(h))).tanh()


def doubled(x: Tensor) -> Tensor:
    """Upsample by 2 with nearest-neighbour interpolation."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
