"""Noise schedules: beta_t for t = 0 .. T - 1, in float64."""

import math

import torch
from torch import Tensor

from harness.config.processes import NoiseSchedule


def cosine_betas(timesteps: int, offset: float = 0.008, largest: float = 0.999) -> Tensor:
    """Return betas such that abar_t follows a squared cosine (Nichol and Dhariwal 2021, Eq. 17), clipped."""
    u = torch.arange(timesteps + 1, dtype=torch.float64) / timesteps
    f = torch.cos((u + offset) / (1 + offset) * (math.pi / 2)) ** 2
    return (1 - f[1:] / f[:-1]).clamp(0, largest)


def linear_betas(timesteps: int) -> Tensor:
    """Return betas linear from 1e-4 to 0.02 (DDPM §4), multiplied by 1000 / `timesteps` and clipped to 0.999."""
    scale = 1000 / timesteps
    return torch.linspace(1e-4 * scale, 0.02 * scale, timesteps, dtype=torch.float64).clamp(max=0.999)


def cosine(schedule: NoiseSchedule, timesteps: int) -> Tensor:
    """Return the betas of the cosine schedule."""
    return cosine_betas(timesteps)


def linear(schedule: NoiseSchedule, timesteps: int) -> Tensor:
    """Return the betas of the linear schedule."""
    return linear_betas(timesteps)
