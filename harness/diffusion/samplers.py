"""Samplers: from noise to images in [-1, 1]. Sample i is a function of the stream and i only.

x_0 is clamped at every step, as in the authors' code. All samplers return float32 of shape `(len(rows), *shape)`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import expm1

import torch
from torch import Tensor

from harness.config.resolve import resolve
from harness.config.samplers import DDIM, Ancestral, DPMSolver, FewSteps, Sampler
from harness.diffusion.coefficients import Coefficients
from harness.diffusion.process import Predictor
from harness.errors import SpecError
from harness.randomness import Stream

LEAST_HALF_LOG_SNR = -5.1
"""The noisiest timesteps of a cosine schedule lie below this value. DPM-Solver++ is unstable there; its authors skip
them too."""


@dataclass(frozen=True)
class ReverseProcess:
    """Inputs of a sampler: the coefficients of the diffusion and a trained network.

    `denoise` maps x_t and t to the clamped estimate of x_0; `noise` maps t to standard normal noise shaped like x_t.
    """

    diffusion: Coefficients
    denoise: Callable[[Tensor, int], Tensor]
    noise: Callable[[int], Tensor]


def draw(
    sampler: Sampler,
    diffusion: Coefficients,
    predict: Predictor,
    shape: tuple[int, ...],
    stream: Stream,
    rows: Tensor,
) -> Tensor:
    """Draw the samples with indices `rows`. The initial noise depends on the stream, not on the sampler.

    Raises `SpecError` if the sampler has more steps than the diffusion.
    """

    def denoise(x: Tensor, t: int) -> Tensor:
        timesteps = torch.full((len(rows),), t, device=rows.device)
        return diffusion.recover(x, timesteps, predict(x, timesteps))

    def noise(t: int) -> Tensor:
        return stream.at(t).normal(rows, *shape)

    reverse = ReverseProcess(diffusion, denoise, noise)
    samples: Tensor = resolve(sampler.implementation)(sampler, reverse, stream.at("prior").normal(rows, *shape))
    return samples


def ancestral(sampler: Ancestral, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Sample through all timesteps with the fixed small variance (DDPM Algorithm 2)."""
    diffusion = reverse.diffusion
    for t in reversed(range(diffusion.timesteps)):
        timesteps = torch.full((len(x),), t, device=x.device)
        x = diffusion.posterior_mean(reverse.denoise(x, t), x, timesteps)  # HybViT Eq. 12
        if t > 0:
            x = x + diffusion.posterior_variance[t].sqrt() * reverse.noise(t)  # HybViT Eq. 13
    return x


def ddim(sampler: DDIM, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Sample through a subset of timesteps, equally spaced (DDIM Eq. 12 and 16)."""
    diffusion, eta = reverse.diffusion, sampler.eta
    timesteps = spaced(_steps_of(sampler, diffusion), diffusion.timesteps)
    for t, following in pairwise(timesteps):
        x0, alpha, target = reverse.denoise(x, t), diffusion.alphas_cumprod[t], diffusion.alphas_cumprod[following]
        predicted_noise = (x - alpha.sqrt() * x0) / (1 - alpha).sqrt()
        variance = eta**2 * (1 - target) / (1 - alpha) * (1 - alpha / target)  # DDIM Eq. 16
        x = target.sqrt() * x0 + (1 - target - variance).sqrt() * predicted_noise  # DDIM Eq. 12
        if eta:
            x = x + variance.sqrt() * reverse.noise(t)
    return reverse.denoise(x, timesteps[-1])


def dpm_solver(sampler: DPMSolver, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Sample through a subset of timesteps, extrapolating x_0 from the last two (DPM-Solver++(2M), Algorithm 2).

    The first step and the final step to a clean image are first-order.
    """
    diffusion = reverse.diffusion
    timesteps = evenly_denoised(_steps_of(sampler, diffusion), diffusion)
    alphas_cumprod, log_snr = diffusion.alphas_cumprod.double().tolist(), half_log_snr(diffusion).tolist()
    previous: Tensor | None = None
    previous_step = 0.0
    for t, following in pairwise(timesteps):
        x0, alpha, target = reverse.denoise(x, t), alphas_cumprod[t], alphas_cumprod[following]
        step = log_snr[following] - log_snr[t]
        extrapolated = x0 if previous is None else x0 + (x0 - previous) * (step / previous_step / 2)
        x = ((1 - target) / (1 - alpha)) ** 0.5 * x - target**0.5 * expm1(-step) * extrapolated
        previous, previous_step = x0, step
    return reverse.denoise(x, timesteps[-1])


def spaced(steps: int, timesteps: int) -> list[int]:
    """Return `steps` equally spaced timesteps, from the last to the first."""
    return torch.linspace(timesteps - 1, 0, steps, dtype=torch.float64).round().long().tolist()


def evenly_denoised(steps: int, diffusion: Coefficients) -> list[int]:
    """Return timesteps equally spaced in log-SNR, in descending order.

    Duplicates are dropped, so there may be fewer than `steps`.
    """
    found = half_log_snr(diffusion)
    wanted = torch.linspace(max(LEAST_HALF_LOG_SNR, found[-1].item()), found[0].item(), steps, device=found.device)
    return sorted(set((found - wanted[:, None]).abs().argmin(dim=1).tolist()), reverse=True)


def half_log_snr(diffusion: Coefficients) -> Tensor:
    """Return half the log-SNR of every timestep, `(timesteps,)` float64."""
    alphas_cumprod = diffusion.alphas_cumprod.double()
    return (alphas_cumprod / (1 - alphas_cumprod)).log() / 2


def _steps_of(sampler: FewSteps, diffusion: Coefficients) -> int:
    if sampler.steps > diffusion.timesteps:
        raise SpecError(f"steps={sampler.steps} exceeds the {diffusion.timesteps} timesteps of the diffusion")
    return sampler.steps
