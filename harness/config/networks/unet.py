"""The U-Net of DDPM, with parameter counts and costs in closed form."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from harness.config.dataset import Dataset, images_of
from harness.config.interfaces import PREDICT_NOISE
from harness.config.networks.base import Network, conv_multiply_adds, conv_parameters, halvable, halvings
from harness.config.shrinking import Shrinking
from harness.errors import SpecError

Blocks = list[tuple[int, int]]
"""Input and output channels of residual blocks."""


class UNet(Network):
    """U-Net of residual blocks, with attention at some sizes and in the middle (DDPM Appendix B).

    Level i has images half as large as level i - 1 and `multipliers[i] * base_channels` channels. A level has `blocks`
    blocks on the way down and one more on the way up. `attention` lists image sizes in pixels, `groups` is the number
    of groups of each GroupNorm.
    """

    kind: Literal["unet"] = "unet"
    implementation: ClassVar[str] = "harness.models.unet:UNet"
    passes: ClassVar[frozenset[str]] = frozenset({PREDICT_NOISE})
    shrinks: ClassVar[Mapping[str, str]] = {"base_channels": "width", "groups": "width", "blocks": "depth"}

    base_channels: PositiveInt = 128
    multipliers: tuple[PositiveInt, ...] = Field((1, 2, 2, 2), min_length=1)
    blocks: PositiveInt = 2
    attention: tuple[PositiveInt, ...] = (16,)
    dropout: float = Field(0.1, ge=0, lt=1)
    groups: PositiveInt = 32

    @model_validator(mode="after")
    def _groups_divide_channels(self) -> "UNet":
        if self.base_channels % self.groups:
            raise SpecError(f"groups={self.groups} does not divide base_channels={self.base_channels}")
        return self

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a smaller copy: one level fewer per halving of the images, attention on the same levels."""
        sizes, small = self.sizes(shrinking.data), images_of(shrinking.small_data, self).image_size
        if small == sizes[0]:
            return shrinking.applied(self)
        halved = len(sizes) - 1 - halvings(shrinking.data, shrinking.small_data)
        lowest = halvable(small, max(halved, 0))
        attention = dict.fromkeys(small >> min(sizes.index(size), lowest) for size in self.attention)
        return shrinking.applied(self, multipliers=self.multipliers[: lowest + 1], attention=tuple(attention))

    @property
    def widths(self) -> list[int]:
        """The channels of each level."""
        return [self.base_channels * multiplier for multiplier in self.multipliers]

    def sizes(self, data: Dataset) -> list[int]:
        """Return the image size of each level."""
        data = images_of(data, self)
        return [data.image_size >> level for level in range(len(self.multipliers))]

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` if the images cannot be halved once per level, or an attention size is no level's size."""
        data = images_of(data, self)
        coarsest = 1 << (len(self.multipliers) - 1)
        if data.image_size % coarsest:
            raise SpecError(
                f"the {data.image_size}-pixel images of {data.name} cannot be halved as often as "
                f"multipliers={self.multipliers} requires"
            )
        for size in self.attention:
            if size not in self.sizes(data):
                allowed = ", ".join(map(str, self.sizes(data)))
                raise SpecError(f"attention={size} is not a level size of {data.name}: allowed: {allowed}")

    def down_blocks(self) -> list[Blocks]:
        """Return the input and output channels of the residual blocks of each level on the way down."""
        inputs, levels = self.base_channels, list[Blocks]()
        for width in self.widths:
            levels.append([(inputs, width)] + [(width, width)] * (self.blocks - 1))
            inputs = width
        return levels

    def up_blocks(self) -> list[Blocks]:
        """Return the same for the way up, in the same order of levels; inputs include the skip connections."""
        skipped = [self.base_channels]
        for number, width in enumerate(self.widths, 1):
            skipped += [width] * (self.blocks + (number < len(self.widths)))
        inputs, levels = self.widths[-1], list[Blocks]()
        for width in reversed(self.widths):
            level: Blocks = []
            for _ in range(self.blocks + 1):
                level.append((inputs + skipped.pop(), width))
                inputs = width
            levels.append(level)
        return levels[::-1]

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters."""
        data = images_of(data, self)
        first, last, sizes = self.base_channels, self.widths[-1], self.sizes(data)
        biases = 8 * first  # of the two layers of the embedding
        total = self._embedding_weights() + biases + conv_parameters(data.channels, first)
        total += 2 * self._block_parameters(last, last) + attention_parameters(last)
        for down, up, width, size in zip(self.down_blocks(), self.up_blocks(), self.widths, sizes, strict=True):
            total += sum(self._block_parameters(*block) for block in down + up)
            if size in self.attention:
                total += (len(down) + len(up)) * attention_parameters(width)
            if size != sizes[-1]:
                total += conv_parameters(width, width)
            if size != sizes[0]:
                total += conv_parameters(width, width)
        return total + 2 * self.widths[0] + conv_parameters(self.widths[0], data.channels)

    def flops(self, data: Dataset, name: str) -> float:
        """Return the FLOPs of the convolutions and matrix products per image."""
        data = images_of(data, self)
        first, last, sizes = self.base_channels, self.widths[-1], self.sizes(data)
        products = self._embedding_weights() + conv_multiply_adds(sizes[0], data.channels, first)
        products += 2 * self._block_multiply_adds(sizes[-1], last, last) + attention_multiply_adds(sizes[-1], last)
        for down, up, width, size in zip(self.down_blocks(), self.up_blocks(), self.widths, sizes, strict=True):
            products += sum(self._block_multiply_adds(size, *block) for block in down + up)
            if size in self.attention:
                products += (len(down) + len(up)) * attention_multiply_adds(size, width)
            if size != sizes[-1]:
                products += conv_multiply_adds(size // 2, width, width)
            if size != sizes[0]:
                products += conv_multiply_adds(size * 2, width, width)
        return 2.0 * (products + conv_multiply_adds(sizes[0], self.widths[0], data.channels))

    def _embedding_weights(self) -> int:
        """Return the number of weights of the two layers after the sinusoidal embedding, without biases."""
        return (self.base_channels // 2 * 2) * 4 * self.base_channels + (4 * self.base_channels) ** 2

    def _block_parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of parameters of a residual block, including its timestep layer."""
        norms = 2 * (inputs + outputs)
        convolutions = conv_parameters(inputs, outputs) + conv_parameters(outputs, outputs)
        shortcut = conv_parameters(inputs, outputs, 1) if inputs != outputs else 0
        return norms + convolutions + shortcut + (4 * self.base_channels + 1) * outputs

    def _block_multiply_adds(self, size: int, inputs: int, outputs: int) -> float:
        """Return the multiply-adds of a residual block."""
        shortcut = conv_multiply_adds(size, inputs, outputs, 1) if inputs != outputs else 0
        embedding = 4 * self.base_channels * outputs
        convolutions = conv_multiply_adds(size, inputs, outputs) + conv_multiply_adds(size, outputs, outputs)
        return convolutions + shortcut + embedding


def attention_parameters(width: int) -> int:
    """Return the number of parameters of self-attention: norm, queries, keys, values and output."""
    return 2 * width + 4 * (width**2 + width)


def attention_multiply_adds(size: int, width: int) -> float:
    """Return the multiply-adds of self-attention over all pixels of a square image."""
    return 4.0 * size**2 * width**2 + 2.0 * size**4 * width
