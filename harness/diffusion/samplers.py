"""Samplers: from noise to images in [-1, 1], of which sample i is a function of the stream and of i alone.

x_0 is clamped at every step, as in the authors' code. All return float32 of shape `(len(rows), *shape)`.
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
"""Noisier than this are the last timesteps of a cosine schedule, between which the solver is unstable; its authors
skip them too."""


@dataclass(frozen=True)
class ReverseProcess:
    """What a sampler is given: the coefficients of the diffusion and a trained network.

    `denoise` maps x_t and t to the clamped estimate of x_0, `noise` maps t to standard normal noise, shaped like the
    samples.
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
    """Draw the samples with these indices; equal streams begin with equal noise, whatever the sampler.

    Raises `SpecError` for more steps than the diffusion has.
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
    """Go through all timesteps with the fixed small variance (DDPM Algorithm 2)."""
    diffusion = reverse.diffusion
    for t in reversed(range(diffusion.timesteps)):
        timesteps = torch.full((len(x),), t, device=x.device)
        x = diffusion.posterior_mean(reverse.denoise(x, t), x, timesteps)
        if t > 0:
            x = x + diffusion.posterior_variance[t].sqrt() * reverse.noise(t)
    return x


def ddim(sampler: DDIM, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Go through some timesteps, from the noisiest to a clean image (DDIM Eq. 12 and 16)."""
    diffusion, eta = reverse.diffusion, sampler.eta
    timesteps = spaced(_steps_of(sampler, diffusion), diffusion.timesteps)
    for t, following in pairwise(timesteps):
        x0, signal, target = reverse.denoise(x, t), diffusion.alphas_cumprod[t], diffusion.alphas_cumprod[following]
        predicted_noise = (x - signal.sqrt() * x0) / (1 - signal).sqrt()
        variance = eta**2 * (1 - target) / (1 - signal) * (1 - signal / target)
        x = target.sqrt() * x0 + (1 - target - variance).sqrt() * predicted_noise
        if eta:
            x = x + variance.sqrt() * reverse.noise(t)
    return reverse.denoise(x, timesteps[-1])


def dpm_solver(sampler: DPMSolver, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Go through some timesteps, extrapolating x_0 from two of them (DPM-Solver++(2M), Algorithm 2).

    The first step and the last one, to a clean image, are of first order.
    """
    diffusion = reverse.diffusion
    timesteps = evenly_denoised(_steps_of(sampler, diffusion), diffusion)
    alphas_cumprod, log_snr = diffusion.alphas_cumprod.double().tolist(), half_log_snr(diffusion).tolist()
    previous: Tensor | None = None
    previous_step = 0.0
    for t, following in pairwise(timesteps):
        x0, signal, target = reverse.denoise(x, t), alphas_cumprod[t], alphas_cumprod[following]
        step = log_snr[following] - log_snr[t]
        ahead = x0 if previous is None else x0 + (x0 - previous) * (step / previous_step / 2)
        x = ((1 - target) / (1 - signal)) ** 0.5 * x - target**0.5 * expm1(-step) * ahead
        previous, previous_step = x0, step
    return reverse.denoise(x, timesteps[-1])


def spaced(steps: int, timesteps: int) -> list[int]:
    """Return so many timesteps at equal distances, from the last to the first."""
    return torch.linspace(timesteps - 1, 0, steps, dtype=torch.float64).round().long().tolist()


def evenly_denoised(steps: int, diffusion: Coefficients) -> list[int]:
    """Return timesteps at equal distances of the log signal-to-noise ratio, from noise to the first.

    They are fewer than asked for where two would be the same.
    """
    signal = half_log_snr(diffusion)
    wanted = torch.linspace(max(LEAST_HALF_LOG_SNR, signal[-1].item()), signal[0].item(), steps, device=signal.device)
    return sorted(set((signal - wanted[:, None]).abs().argmin(dim=1).tolist()), reverse=True)


def half_log_snr(diffusion: Coefficients) -> Tensor:
    """Return half the log signal-to-noise ratio of every timestep, `(timesteps,)` float64."""
    signal = diffusion.alphas_cumprod.double()
    return (signal / (1 - signal)).log() / 2


def _steps_of(sampler: FewSteps, diffusion: Coefficients) -> int:
    if sampler.steps > diffusion.timesteps:
        raise SpecError(f"steps={sampler.steps} exceeds the {diffusion.timesteps} timesteps of the diffusion")
    return sampler.steps
