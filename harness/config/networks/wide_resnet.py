"""Wide residual networks: the original with BatchNorm, and the variant of energy-based models."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import Field, PositiveInt, model_validator

from harness.config.dataset import Dataset, images_of
from harness.config.interfaces import FEATURES, LOGITS, LOGITS_FROM
from harness.config.networks.base import Network, conv_multiply_adds, conv_parameters
from harness.config.shrinking import Shrinking
from harness.errors import SpecError

STEM_WIDTH = 16


class Shape(NamedTuple):
    """The shape of a residual block: channels, stride, and output image size."""

    inputs: int
    outputs: int
    stride: int
    size: int


class WideResidual(Network):
    """Three groups of (depth - 4) / 6 residual blocks with 16, 32 and 64 times `widen_factor` channels."""

    passes: ClassVar[frozenset[str]] = frozenset({LOGITS})
    shrinks: ClassVar[Mapping[str, str]] = {"depth": "depth", "widen_factor": "width"}

    depth: PositiveInt = 28
    widen_factor: PositiveInt = 10

    @model_validator(mode="after")
    def _blocks_are_whole(self) -> "WideResidual":
        if self.depth < 10 or (self.depth - 4) % 6:
            raise SpecError(f"depth={self.depth} is not 6 n + 4: allowed: 10, 16, 22, 28, 34, 40, ...")
        return self

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a smaller copy; rules for the depth apply to the blocks per group."""
        blocks = shrinking.resized(self, "depth", self.group_blocks)
        return self.but(**{**shrinking.changed(self), "depth": 4 + 6 * blocks})

    @property
    def group_blocks(self) -> int:
        """The number of residual blocks per group."""
        return (self.depth - 4) // 6

    @property
    def width(self) -> int:
        """The channels of the last group."""
        return 64 * self.widen_factor

    def blocks(self, data: Dataset) -> Iterator[Shape]:
        """Yield the residual blocks in order; the first block of groups two and three halves the image."""
        data = images_of(data, self)
        inputs, size = STEM_WIDTH, data.image_size
        for group in range(3):
            for block in range(self.group_blocks):
                outputs, stride = STEM_WIDTH * 2**group * self.widen_factor, 2 if group and not block else 1
                size = -(-size // stride)
                yield Shape(inputs, outputs, stride, size)
                inputs = outputs

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters."""
        data = images_of(data, self)
        stem = self._conv_parameters(data.channels, STEM_WIDTH)
        blocks = sum(
            self._norm_parameters(block.inputs) + self._conv_parameters(block.inputs, block.outputs)
            + self._norm_parameters(block.outputs) + self._conv_parameters(block.outputs, block.outputs)
            + (self._conv_parameters(block.inputs, block.outputs, 1) if has_projection(block) else 0)
            for block in self.blocks(data)
        )  # fmt: skip
        return stem + blocks + self._norm_parameters(self.width) + (self.width + 1) * data.num_classes

    def flops(self, data: Dataset, name: str) -> float:
        """Return the FLOPs of the convolutions and the class head per image."""
        data = images_of(data, self)
        products = conv_multiply_adds(data.image_size, data.channels, STEM_WIDTH) + self.width * data.num_classes
        for block in self.blocks(data):
            products += conv_multiply_adds(self._size_of_first(block), block.inputs, block.outputs)
            products += conv_multiply_adds(block.size, block.outputs, block.outputs)
            if has_projection(block):
                products += conv_multiply_adds(block.size, block.inputs, block.outputs, 1)
        return 2.0 * products

    @abstractmethod
    def _conv_parameters(self, inputs: int, outputs: int, kernel: int = 3) -> int:
        """Return the number of parameters of a convolution."""

    @abstractmethod
    def _norm_parameters(self, channels: int) -> int:
        """Return the number of parameters of a normalisation layer."""

    @abstractmethod
    def _size_of_first(self, block: Shape) -> int:
        """Return the output image size of the first convolution of a block."""


class WideResNet(WideResidual):
    """Wide ResNet with BatchNorm and ReLU, without biases (Zagoruyko and Komodakis 2016, §2)."""

    kind: Literal["wide_resnet"] = "wide_resnet"
    implementation: ClassVar[str] = "harness.models.wide_resnet:WideResNet"

    def _conv_parameters(self, inputs: int, outputs: int, kernel: int = 3) -> int:
        return conv_parameters(inputs, outputs, kernel, bias=False)

    def _norm_parameters(self, channels: int) -> int:
        return 2 * channels

    def _size_of_first(self, block: Shape) -> int:
        return block.size


class JEMWideResNet(WideResidual):
    """Wide ResNet of JEM, JEM++ and VERA: leaky ReLU, biases, stride in the second convolution.

    JEM and VERA have no normalisation; JEM++ has BatchNorm with statistics close to those of the last batch.
    """

    kind: Literal["jem_wide_resnet"] = "jem_wide_resnet"
    implementation: ClassVar[str] = "harness.models.wide_resnet:JEMWideResNet"
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS, FEATURES, LOGITS_FROM})

    norm: Literal["none", "batch"] = "none"
    leak: float = Field(0.2, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)

    def _conv_parameters(self, inputs: int, outputs: int, kernel: int = 3) -> int:
        return conv_parameters(inputs, outputs, kernel)

    def _norm_parameters(self, channels: int) -> int:
        return 0 if self.norm == "none" else 2 * channels

    def _size_of_first(self, block: Shape) -> int:
        return block.size * block.stride


def has_projection(block: Shape) -> bool:
    """Return whether the skip connection of a block needs a projection to change the shape."""
    return block.inputs != block.outputs or block.stride != 1
