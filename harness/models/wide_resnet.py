"""Wide residual networks: the original classifier, and the variant of energy-based models."""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.dataset import Images
from harness.config.networks import JEMWideResNet as JEMSpec
from harness.config.networks import WideResNet as Spec
from harness.config.networks.wide_resnet import STEM_WIDTH, Shape, has_projection
from harness.models.base import ImageNetwork, channels_last
from harness.models.batch_norm import BatchNorm
from harness.models.dropout import Dropout

MEMORYLESS = 0.9
"""BatchNorm momentum of JEM++ (its code): running statistics are almost those of the last batch."""


class Block(nn.Module):
    """Two norm-ReLU-convolution layers; a projected skip starts after the first ReLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1 = BatchNorm(shape.inputs)
        self.conv1 = nn.Conv2d(shape.inputs, shape.outputs, 3, shape.stride, padding=1, bias=False)
        self.norm2 = BatchNorm(shape.outputs)
        self.conv2 = nn.Conv2d(shape.outputs, shape.outputs, 3, padding=1, bias=False)
        self.projection = (
            nn.Conv2d(shape.inputs, shape.outputs, 1, shape.stride, bias=False) if has_projection(shape) else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `(batch, outputs, size, size)`."""
        activated = F.relu(self.norm1(x))
        skip = x if self.projection is None else self.projection(activated)
        return skip + self.conv2(F.relu(self.norm2(self.conv1(activated))))


class WideResNet(ImageNetwork):
    """Wide ResNet (Zagoruyko and Komodakis 2016, Table 1), initialised as in its code."""

    PASSES: ClassVar[tuple[str, ...]] = ("logits",)

    def __init__(self, config: Spec, data: Images) -> None:
        super().__init__()
        self.stem = nn.Conv2d(data.channels, STEM_WIDTH, 3, padding=1, bias=False)
        self.blocks = nn.Sequential(*(Block(shape) for shape in config.blocks(data)))
        self.norm = BatchNorm(config.width)
        self.class_head = nn.Linear(config.width, data.num_classes)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights: convolutions from N(0, 2 / fan-out), class head as in torch but with zero bias."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        nn.init.kaiming_uniform_(self.class_head.weight, a=math.sqrt(5), generator=generator)
        nn.init.zeros_(self.class_head.bias)

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)`."""
        h = F.relu(self.norm(self.blocks(self.stem(channels_last(images)))))
        return self.class_head(h.mean(dim=(2, 3)))


class JEMBlock(nn.Module):
    """Two leaky-ReLU-convolution layers, the stride in the second; the skip starts at the input."""

    def __init__(self, shape: Shape, config: JEMSpec) -> None:
        super().__init__()
        self.leak = config.leak
        self.norm1 = norm_of(config, shape.inputs)
        self.conv1 = nn.Conv2d(shape.inputs, shape.outputs, 3, padding=1)
        self.dropout = Dropout(config.dropout)
        self.norm2 = norm_of(config, shape.outputs)
        self.conv2 = nn.Conv2d(shape.outputs, shape.outputs, 3, shape.stride, padding=1)
        self.projection = nn.Conv2d(shape.inputs, shape.outputs, 1, shape.stride) if has_projection(shape) else None

    def forward(self, x: Tensor) -> Tensor:
        """Return `(batch, outputs, size, size)`."""
        skip = x if self.projection is None else self.projection(x)
        h = self.dropout(self.conv1(F.leaky_relu(self.norm1(x), self.leak)))
        return skip + self.conv2(F.leaky_relu(self.norm2(h), self.leak))


class JEMWideResNet(ImageNetwork):
    """Wide ResNet of JEM, JEM++ and VERA (their code); its logits double as negative energies.

    `features` is the first layer and `logits_from` the rest: the inner steps of JEM++ differentiate the first layer
    only.
    """

    PASSES: ClassVar[tuple[str, ...]] = ("logits", "features", "logits_from")

    def __init__(self, config: JEMSpec, data: Images) -> None:
        super().__init__()
        self.leak = config.leak
        self.stem = nn.Conv2d(data.channels, STEM_WIDTH, 3, padding=1)
        self.blocks = nn.Sequential(*(JEMBlock(shape, config) for shape in config.blocks(data)))
        self.norm = norm_of(config, config.width)
        self.class_head = nn.Linear(config.width, data.num_classes)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights and biases with torch's default: uniform within 1 / sqrt(fan-in)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=generator)
                bound = 1 / math.sqrt(module.weight[0].numel())
                assert module.bias is not None
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)`."""
        return self._head(self.stem(channels_last(images)))

    def features(self, images: Tensor) -> Tensor:
        """Return the output of the first convolution, `(batch, 16, size, size)`."""
        return self.stem(channels_last(images))

    def logits_from(self, features: Tensor) -> Tensor:
        """Return class logits from the output of the first convolution."""
        return self._head(features)

    def _head(self, features: Tensor) -> Tensor:
        h = F.leaky_relu(self.norm(self.blocks(features)), self.leak)
        return self.class_head(h.mean(dim=(2, 3)))


def norm_of(config: JEMSpec, channels: int) -> nn.Module:
    """Return the normalisation layer of a configuration."""
    return BatchNorm(channels, momentum=MEMORYLESS) if config.norm == "batch" else nn.Identity()
