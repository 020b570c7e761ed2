"""Samplers: from noise to images."""

import torch
from torch import Tensor

from harness.diffusion.gaussian import GaussianDiffusion, NoisePredictor
from harness.randomness import Stream


def ancestral(
    diffusion: GaussianDiffusion,
    predict: NoisePredictor,
    shape: tuple[int, int, int],
    stream: Stream,
    rows: Tensor,
) -> Tensor:
    """Draw the samples with these indices by ancestral sampling over all timesteps (DDPM Algorithm 2).

    The variance is the fixed small one, and x_0 is clamped at every step, as in the authors' code. Sample i is a
    function of the stream and of i alone. Returns float32 images in [-1, 1] of shape `(len(rows), *shape)`.
    """
    x = stream.at("prior").normal(rows, *shape)
    for t in reversed(range(diffusion.timesteps)):
        timesteps = torch.full((len(rows),), t, device=rows.device)
        x0 = diffusion.recover(x, timesteps, predict(x, timesteps))
        x = diffusion.posterior_mean(x0, x, timesteps)
        if t > 0:
            x = x + diffusion.posterior_variance[t].sqrt() * stream.at(t).normal(rows, *shape)
    return x
