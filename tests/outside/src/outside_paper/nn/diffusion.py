"""Components of Gaussian diffusion."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.diffusion.samplers import ReverseProcess
from outside_paper import diffusion as spec


def sigmoid_betas(schedule: spec.SigmoidNoise, timesteps: int) -> Tensor:
    """Return betas `(timesteps,)` in float64 such that abar_t is a sigmoid of time, from one to zero."""
    time = torch.linspace(0, 1, timesteps + 1, dtype=torch.float64)
    curve = torch.sigmoid((schedule.start + (schedule.end - schedule.start) * time) / schedule.temperature)
    signal = ((curve[-1] - curve) / (curve[-1] - curve[0])).clamp(min=1e-9)
    return (1 - signal[1:] / signal[:-1]).clamp(max=0.999)


def huber(loss: spec.Huber, difference: Tensor) -> Tensor:
    """Return the elementwise Huber loss."""
    return F.huber_loss(difference, torch.zeros_like(difference), reduction="none", delta=loss.delta)


def quadratic_ddim(sampler: spec.QuadraticDDIM, reverse: ReverseProcess, x: Tensor) -> Tensor:
    """Sample through quadratically spaced timesteps."""
    signal = reverse.diffusion.alphas_cumprod
    roots = torch.linspace((len(signal) - 1) ** 0.5, 0, min(sampler.steps, len(signal)), dtype=torch.float64)
    timesteps = sorted(set(roots.square().round().long().tolist()), reverse=True)
    for now, then in pairwise(timesteps):
        x0 = reverse.denoise(x, now)
        noise = (x - signal[now].sqrt() * x0) / (1 - signal[now]).sqrt()
        x = signal[then].sqrt() * x0 + (1 - signal[then]).sqrt() * noise
    return reverse.denoise(x, timesteps[-1])
