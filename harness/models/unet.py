"""The noise-predicting U-Net of DDPM (Ho et al. 2020, Appendix B)."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.dataset import Images
from harness.config.networks import UNet as Spec
from harness.models.attention import attend
from harness.models.base import ImageNetwork, channels_last
from harness.models.dropout import Dropout
from harness.models.timesteps import Sinusoid

EPS = 1e-6
ZERO_INIT_GAIN = 1e-5
"""The initial gain of the last layer of each block: nearly zero, so that blocks start as identities."""


class Residual(nn.Module):
    """Two convolutions, each after GroupNorm and swish; the timestep embedding is added between them."""

    def __init__(self, config: Spec, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(config.groups, inputs, EPS)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.timestep = nn.Linear(4 * config.base_channels, outputs)
        self.norm2 = nn.GroupNorm(config.groups, outputs, EPS)
        self.dropout = Dropout(config.dropout)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return `(batch, outputs, size, size)`; `condition` is the activated embedding `(batch, 4 base_channels)`."""
        h = self.conv1(F.silu(self.norm1(x))) + self.timestep(condition)[:, :, None, None]
        h = self.conv2(self.dropout(F.silu(self.norm2(h))))
        return h + (x if self.shortcut is None else self.shortcut(x))


class SelfAttention(nn.Module):
    """Single-head self-attention over all pixels, with a residual connection."""

    def __init__(self, config: Spec, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.groups, channels, EPS)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.projection = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor shaped like `x`."""
        q, k, v = self.qkv(self.norm(x)).flatten(2).mT[:, None].chunk(3, dim=-1)
        attended = attend(q, k, v)[:, 0].mT.unflatten(2, x.shape[2:])
        return x + self.projection(attended)


class Layer(nn.Module):
    """A residual block, followed by self-attention if its level has it."""

    def __init__(self, config: Spec, inputs: int, outputs: int, attends: bool) -> None:
        super().__init__()
        self.residual = Residual(config, inputs, outputs)
        self.attention = SelfAttention(config, outputs) if attends else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return `(batch, outputs, size, size)`."""
        return self.attention(self.residual(x, condition))


class Halving(nn.Module):
    """A stride-2 convolution with TensorFlow's padding (bottom and right only)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Downsample by 2."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Doubling(nn.Module):
    """Nearest-neighbour upsampling by 2, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample by 2."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Descent(nn.Module):
    """The layers of a level on the way down, then downsampling, except at the last level."""

    def __init__(self, layers: list[Layer], halving: Halving | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.halving = halving

    def forward(self, h: Tensor, condition: Tensor) -> list[Tensor]:
        """Return the output of every layer; the last one is the input of the next level."""
        made = []
        for layer in self.layers:
            h = layer(h, condition)
            made.append(h)
        return [*made, self.halving(h)] if self.halving is not None else made


class Ascent(nn.Module):
    """The layers of a level on the way up, then upsampling, except at the first level."""

    def __init__(self, layers: list[Layer], doubling: Doubling | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.doubling = doubling

    def forward(self, h: Tensor, skipped: list[Tensor], condition: Tensor) -> Tensor:
        """Return the input of the next level. Pops the skip connections it uses from `skipped`."""
        for layer in self.layers:
            h = layer(torch.cat([h, skipped.pop()], dim=1), condition)
        return h if self.doubling is None else self.doubling(h)


class UNet(ImageNetwork):
    """Levels of residual blocks down and up, with skip connections from every layer on the way down."""

    PASSES: ClassVar[tuple[str, ...]] = ("predict_noise",)

    def __init__(self, config: Spec, data: Images) -> None:
        super().__init__()
        width, widths, first = 4 * config.base_channels, config.widths, config.base_channels
        attends = [size in config.attention for size in config.sizes(data)]

        def layers(level: int, blocks: list[tuple[int, int]]) -> list[Layer]:
            return [Layer(config, *block, attends[level]) for block in blocks]

        self.sinusoid = Sinusoid(first)
        self.embedding = nn.Sequential(nn.Linear(self.sinusoid.width, width), nn.SiLU(), nn.Linear(width, width))
        self.stem = nn.Conv2d(data.channels, first, 3, padding=1)
        self.down = nn.ModuleList(
            Descent(layers(level, blocks), Halving(widths[level]) if level + 1 < len(widths) else None)
            for level, blocks in enumerate(config.down_blocks())
        )
        self.middle1 = Layer(config, widths[-1], widths[-1], attends=True)
        self.middle2 = Layer(config, widths[-1], widths[-1], attends=False)
        self.up = nn.ModuleList(
            Ascent(layers(level, blocks), Doubling(widths[level]) if level else None)
            for level, blocks in enumerate(config.up_blocks())
        )
        self.norm = nn.GroupNorm(config.groups, widths[0], EPS)
        self.noise_head = nn.Conv2d(widths[0], data.channels, 3, padding=1)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights: Xavier-uniform, `ZERO_INIT_GAIN` in last layers and noise head; zero biases."""
        last = {id(self.noise_head)}
        last |= {id(module.conv2) for module in self.modules() if isinstance(module, Residual)}
        last |= {id(module.projection) for module in self.modules() if isinstance(module, SelfAttention)}
        fused = {id(module.qkv) for module in self.modules() if isinstance(module, SelfAttention)}
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                # The fused qkv weight holds three layers, each with its own fan-out.
                for weight in module.weight.detach().chunk(3 if id(module) in fused else 1):
                    nn.init.xavier_uniform_(weight, ZERO_INIT_GAIN if id(module) in last else 1.0, generator)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def predict_noise(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Return the predicted noise, shaped like `noisy`, for integer `timesteps` of shape `(batch,)`."""
        # Every block applies swish to the embedding first, so compute it once.
        condition = F.silu(self.embedding(self.sinusoid(timesteps)))
        skipped = [self.stem(channels_last(noisy))]
        for down in self.down:
            skipped += down(skipped[-1], condition)
        h = self.middle2(self.middle1(skipped[-1], condition), condition)
        for up in reversed(self.up):
            h = up(h, skipped, condition)
        return self.noise_head(F.silu(self.norm(h))).contiguous()
