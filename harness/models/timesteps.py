"""Timestep embeddings."""

import math

import torch
from torch import Tensor, nn


class Sinusoid(nn.Module):
    """Sines, then cosines, of integer timesteps at frequencies from 1 to 1/10,000 (DDPM's code)."""

    frequencies: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        half = dim // 2
        self.width = 2 * half
        # Keep the authors' order of operations: timesteps up to 1,000 magnify any difference in rounding.
        frequencies = torch.exp(torch.arange(half) * -(math.log(10_000) / max(half - 1, 1)))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, timesteps: Tensor) -> Tensor:
        """Return the embeddings `(batch, width)` of timesteps `(batch,)`."""
        angles = timesteps[:, None].to(self.frequencies.dtype) * self.frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
