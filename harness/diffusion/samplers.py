"""Samplers: from noise to images in [-1, 1], of which sample i is a function of the stream and of i alone.

x_0 is clamped at every step, as in the authors' code. All return float32 of shape `(len(rows), *shape)`.
"""

from collections.abc import Callable
from itertools import pairwise
from math import expm1

import torch
from torch import Tensor

from harness.diffusion.gaussian import GaussianDiffusion, NoisePredictor
from harness.randomness import Stream
from harness.spec.errors import SpecError
from harness.spec.samplers import DDIM, Ancestral, DPMSolver, Sampler

LEAST_HALF_LOG_SNR = -5.1
"""Noisier than this are the last timesteps of a cosine schedule, between which the solver is unstable; its authors
skip them too."""
Denoiser = Callable[[Tensor, int], Tensor]
"""Maps x_t and t to the clamped estimate of x_0."""
Noise = Callable[[int], Tensor]
"""Maps t to standard normal noise, shaped like the samples."""


def draw(
    sampler: Sampler,
    diffusion: GaussianDiffusion,
    predict: NoisePredictor,
    shape: tuple[int, int, int],
    stream: Stream,
    rows: Tensor,
) -> Tensor:
    """Draw the samples with these indices; equal streams begin with equal noise, whatever the sampler.

    Raises `SpecError` for more steps than the diffusion has.
    """
    x = stream.at("prior").normal(rows, *shape)

    def denoise(x: Tensor, t: int) -> Tensor:
        timesteps = torch.full((len(rows),), t, device=rows.device)
        return diffusion.recover(x, timesteps, predict(x, timesteps))

    def noise(t: int) -> Tensor:
        return stream.at(t).normal(rows, *shape)

    match sampler:
        case DDIM(steps=steps) | DPMSolver(steps=steps) if steps > diffusion.timesteps:
            raise SpecError(f"steps={steps} exceeds the {diffusion.timesteps} timesteps of the diffusion")
        case Ancestral():
            return ancestral(diffusion, denoise, noise, x)
        case DDIM(steps=steps, eta=eta):
            return ddim(diffusion, denoise, noise, x, spaced(steps, diffusion.timesteps), eta)
        case DPMSolver(steps=steps):
            return dpm_solver(diffusion, denoise, x, evenly_denoised(steps, diffusion))
    raise SpecError(f"a Gaussian diffusion has no sampler '{sampler.kind}'")


def ancestral(diffusion: GaussianDiffusion, denoise: Denoiser, noise: Noise, x: Tensor) -> Tensor:
    """Go through all timesteps with the fixed small variance (DDPM Algorithm 2)."""
    for t in reversed(range(diffusion.timesteps)):
        timesteps = torch.full((len(x),), t, device=x.device)
        x = diffusion.posterior_mean(denoise(x, t), x, timesteps)
        if t > 0:
            x = x + diffusion.posterior_variance[t].sqrt() * noise(t)
    return x


def ddim(
    diffusion: GaussianDiffusion, denoise: Denoiser, noise: Noise, x: Tensor, timesteps: list[int], eta: float
) -> Tensor:
    """Go through some timesteps, from the noisiest to a clean image (DDIM Eq. 12 and 16)."""
    for t, following in pairwise(timesteps):
        x0, signal, target = denoise(x, t), diffusion.alphas_cumprod[t], diffusion.alphas_cumprod[following]
        predicted_noise = (x - signal.sqrt() * x0) / (1 - signal).sqrt()
        variance = eta**2 * (1 - target) / (1 - signal) * (1 - signal / target)
        x = target.sqrt() * x0 + (1 - target - variance).sqrt() * predicted_noise
        if eta:
            x = x + variance.sqrt() * noise(t)
    return denoise(x, timesteps[-1])


def dpm_solver(diffusion: GaussianDiffusion, denoise: Denoiser, x: Tensor, timesteps: list[int]) -> Tensor:
    """Go through some timesteps, extrapolating x_0 from two of them (DPM-Solver++(2M), Algorithm 2).

    The first step and the last one, to a clean image, are of first order.
    """
    alphas_cumprod, log_snr = diffusion.alphas_cumprod.double().tolist(), half_log_snr(diffusion).tolist()
    previous: Tensor | None = None
    previous_step = 0.0
    for t, following in pairwise(timesteps):
        x0, signal, target = denoise(x, t), alphas_cumprod[t], alphas_cumprod[following]
        step = log_snr[following] - log_snr[t]
        ahead = x0 if previous is None else x0 + (x0 - previous) * (step / previous_step / 2)
        x = ((1 - target) / (1 - signal)) ** 0.5 * x - target**0.5 * expm1(-step) * ahead
        previous, previous_step = x0, step
    return denoise(x, timesteps[-1])


def spaced(steps: int, timesteps: int) -> list[int]:
    """Return so many timesteps at equal distances, from the last to the first."""
    return torch.linspace(timesteps - 1, 0, steps, dtype=torch.float64).round().long().tolist()


def evenly_denoised(steps: int, diffusion: GaussianDiffusion) -> list[int]:
    """Return timesteps at equal distances of the log signal-to-noise ratio, from noise to the first.

    They are fewer than asked for where two would be the same.
    """
    signal = half_log_snr(diffusion)
    wanted = torch.linspace(max(LEAST_HALF_LOG_SNR, signal[-1].item()), signal[0].item(), steps, device=signal.device)
    return sorted(set((signal - wanted[:, None]).abs().argmin(dim=1).tolist()), reverse=True)


def half_log_snr(diffusion: GaussianDiffusion) -> Tensor:
    """Return half the log signal-to-noise ratio of every timestep, `(timesteps,)` float64."""
    signal = diffusion.alphas_cumprod.double()
    return (signal / (1 - signal)).log() / 2
