"""The Vision Transformer shared by ViT, GenViT and HybViT (HybViT §3-4, Eq. 16-21).

The network classifies clean images and predicts the noise of noisy images at a timestep. The timestep enters every
layer as its own scale and shift per token.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.config.dataset import Images
from harness.config.networks import ViT
from harness.models.attention import attend
from harness.models.base import ImageNetwork
from harness.models.timesteps import Sinusoid


class TimestepEmbedding(nn.Module):
    """A = MLP_t(t): sinusoidal embedding of an integer timestep, then a two-layer MLP (HybViT §4.1).

    Maps timesteps of shape `(batch,)` to a conditioning vector of shape `(batch, width)`.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.sinusoid = Sinusoid(dim)
        self.mlp = nn.Sequential(nn.Linear(self.sinusoid.width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, timesteps: Tensor) -> Tensor:
        """Return the conditioning vectors `(batch, width)`."""
        return self.mlp(self.sinusoid(timesteps))


class TokenModulation(nn.Module):
    """One scale and one shift per token, projected from the conditioning vector (HybViT §4.1, M in Eq. 21).

    `M(h, A) = h * (scale + 1) + shift`, broadcast over all channels of a token.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, 2 * tokens)

    def forward(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return scale + 1 and shift, each `(batch, tokens, 1)`."""
        scale, shift = self.projection(F.silu(condition)).unsqueeze(-1).chunk(2, dim=1)
        return scale + 1, shift


class Attention(nn.Module):
    """Multi-head self-attention with a fused qkv projection (HybViT Eq. 16 per head)."""

    def __init__(self, config: ViT) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.inner_dim, bias=False)
        self.projection = nn.Linear(config.inner_dim, config.dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return a tensor shaped like `tokens`."""
        return self.projection(self._attended(tokens))

    def class_token(self, tokens: Tensor) -> Tensor:
        """Return the first token of `forward`, `(batch, dim)`."""
        return self.projection(self._attended(tokens)[:, 0])

    def _attended(self, tokens: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(tokens).chunk(3, dim=-1))
        return attend(q, k, v).transpose(1, 2).flatten(2)


class Block(nn.Module):
    """A pre-norm transformer layer, modulated by the timestep (HybViT Eq. 21).

    Without a condition it is a plain pre-norm layer (Eq. 18-19). With one, the residual stream is modulated, skip
    connection included, as in the authors' code; `modulate_residual=False` leaves the skip unmodulated, as in Eq. 21.
    """

    def __init__(self, config: ViT, tokens: int, width: int) -> None:
        super().__init__()
        self.modulate_residual = config.modulate_residual
        self.modulate_mlp = config.modulate_mlp
        self.modulation = TokenModulation(tokens, width)
        self.norm_attention = nn.LayerNorm(config.dim)
        self.attention = Attention(config)
        self.norm_mlp = nn.LayerNorm(config.dim)
        hidden = config.mlp_ratio * config.dim
        self.mlp = nn.Sequential(nn.Linear(config.dim, hidden), nn.GELU(), nn.Linear(hidden, config.dim))

    def forward(self, h: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the tokens after this layer, shaped like `h`: `(batch, tokens, dim)`."""
        if condition is None:
            h = h + self.attention(self.norm_attention(h))  # HybViT Eq. 18
            return h + self.mlp(self.norm_mlp(h))  # HybViT Eq. 19
        scale, shift = self.modulation(condition)
        modulated = torch.addcmul(shift, h, scale)  # M(h, A), HybViT §4.1
        h = (modulated if self.modulate_residual else h) + self.attention(self.norm_attention(modulated))  # Eq. 21
        modulated = torch.addcmul(shift, h, scale) if self.modulate_mlp else h
        return (modulated if self.modulate_residual else h) + self.mlp(self.norm_mlp(modulated))  # Eq. 21

    def class_token(self, h: Tensor) -> Tensor:
        """Return the first token of `forward` without a condition, `(batch, dim)`."""
        first = h[:, 0] + self.attention.class_token(self.norm_attention(h))
        return first + self.mlp(self.norm_mlp(first))


class VisionTransformer(ImageNetwork):
    """ViT with a class head on the CLS token and a noise head on the patch tokens (HybViT Fig. 2).

    Both heads read the output of the last layer. Images are `(batch, channels, size, size)` in [-1, 1].
    """

    PASSES: ClassVar[tuple[str, ...]] = ("logits", "predict_noise")

    def __init__(self, config: ViT, data: Images) -> None:
        super().__init__()
        self.patch_size = config.patch_size
        self.grid = data.image_size // config.patch_size
        self.channels = data.channels
        tokens = self.grid**2 + 1
        pixels = self.channels * config.patch_size**2
        width = 4 * tokens

        self.patch_embedding = nn.Linear(pixels, config.dim)
        self.cls_token = nn.Parameter(torch.empty(1, 1, config.dim))
        self.position_embedding = nn.Parameter(torch.empty(1, tokens, config.dim))
        self.timestep_embedding = TimestepEmbedding(config.dim, width)
        self.blocks = nn.ModuleList(Block(config, tokens, width) for _ in range(config.depth))
        self.class_norm = nn.LayerNorm(config.dim)
        self.class_head = nn.Linear(config.dim, data.num_classes)
        self.noise_head = nn.Linear(config.dim, pixels)

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights: Xavier-normal linear layers, zero biases, CLS and positions from N(0, 1)."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.cls_token, generator=generator)
        nn.init.normal_(self.position_embedding, generator=generator)

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)` of clean images, without a timestep (HybViT Fig. 2)."""
        cls_token = self._class_token(images)
        return self.class_head(self.class_norm(cls_token))  # y = LN(z_L^0), HybViT Eq. 20

    def predict_noise(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """Return the predicted noise, shaped like `noisy`, for integer `timesteps` of shape `(batch,)`."""
        patches = self._encode(noisy, self.timestep_embedding(timesteps))[:, 1:]
        return self._unpatchify(self.noise_head(patches))  # f_r, HybViT Eq. 21

    def _class_token(self, images: Tensor) -> Tensor:
        if self.training:
            # The gradients of the weights are sums over all tokens, whose rounding changes without the unread ones.
            return self._encode(images, None)[:, 0]
        h, last = self._embed(images), self.blocks[-1]
        assert isinstance(last, Block)
        for block in self.blocks[:-1]:
            h = block(h)
        return last.class_token(h)

    def _encode(self, images: Tensor, condition: Tensor | None) -> Tensor:
        h = self._embed(images)
        for block in self.blocks:
            h = block(h, condition)
        return h

    def _embed(self, images: Tensor) -> Tensor:
        patches = self.patch_embedding(self._patchify(images))
        cls_token = self.cls_token.expand(len(images), -1, -1)
        return torch.cat([cls_token, patches], dim=1) + self.position_embedding  # HybViT Eq. 17

    def _patchify(self, images: Tensor) -> Tensor:
        """Cut images into patches in raster order, each flattened as (row, column, channel)."""
        g, p = self.grid, self.patch_size
        return images.reshape(-1, self.channels, g, p, g, p).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)

    def _unpatchify(self, patches: Tensor) -> Tensor:
        g, p = self.grid, self.patch_size
        size = g * p
        grid = patches.reshape(-1, g, g, p, p, self.channels).permute(0, 5, 1, 3, 2, 4)
        return grid.reshape(-1, self.channels, size, size)
