"""The full variational bound of a Gaussian diffusion, in bits per dimension (HybViT Eq. 5-8)."""

import math

import torch
from torch import Tensor

from harness.diffusion.coefficients import Coefficients
from harness.diffusion.process import Predictor
from harness.randomness import Stream


def bits_per_dim(
    diffusion: Coefficients, predict: Predictor, x0: Tensor, stream: Stream, rows: Tensor, levels: int = 256
) -> Tensor:
    """Return L_vlb of every image `(batch,)`: all T terms with one noise draw each, plus the prior (HybViT Eq. 5).

    `x0` are images with `levels` intensity levels, scaled to [-1, 1]. `rows` are their indices in the split; noise is
    a function of them.
    """
    total = prior_term(diffusion, x0)
    for t in range(diffusion.timesteps):
        timesteps = torch.full((len(x0),), t, device=x0.device)
        noise = stream.at(t).normal(rows, *x0.shape[1:])
        xt = diffusion.corrupt(x0, timesteps, noise)
        total = total + step_term(diffusion, predict, x0, xt, timesteps, levels)
    return total


def step_term(
    diffusion: Coefficients, predict: Predictor, x0: Tensor, xt: Tensor, timesteps: Tensor, levels: int = 256
) -> Tensor:
    """Return the term of one timestep shared by the batch: the decoder's NLL at t = 0, else a KL (HybViT Eq. 6-7).

    Both Gaussians of the KL have the posterior variance, so it reduces to the scaled squared distance of their means.
    """
    t = int(timesteps[0])
    estimate = diffusion.recover(xt, timesteps, predict(xt, timesteps))
    mean = diffusion.posterior_mean(estimate, xt, timesteps)
    log_variance = diffusion.posterior_log_variance[t]
    if t == 0:
        return _mean_bits(-_log_likelihood_of_bin(x0, mean, log_variance / 2, levels))  # HybViT Eq. 6
    true_mean = diffusion.posterior_mean(x0, xt, timesteps)
    return _mean_bits(0.5 * (true_mean - mean) ** 2 * torch.exp(-log_variance))  # HybViT Eq. 7


def prior_term(diffusion: Coefficients, x0: Tensor) -> Tensor:
    """Return KL(q(x_T | x_0) || N(0, I)) in bits per dimension (HybViT Eq. 8)."""
    last = diffusion.alphas_cumprod[-1].double()
    signal, variance = last * x0.double() ** 2, 1 - last
    return _mean_bits(0.5 * (signal + variance - 1 - torch.log(variance))).to(x0.dtype)


def _log_likelihood_of_bin(x0: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """Return the log-probability of each element's bin under a Gaussian; the outer bins are unbounded (DDPM Eq. 13)."""
    half_width = 1 / (levels - 1)
    centred, inverse = x0 - mean, torch.exp(-log_scale)
    upper = _approximate_cdf(inverse * (centred + half_width))
    lower = _approximate_cdf(inverse * (centred - half_width))
    inside = torch.where(x0 < -0.999, upper, torch.where(x0 > 0.999, 1 - lower, upper - lower))
    return inside.clamp(min=1e-12).log()


def _approximate_cdf(x: Tensor) -> Tensor:
    """Approximate the standard normal CDF by a tanh, as in the paper's code."""
    return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _mean_bits(nats: Tensor) -> Tensor:
    return nats.flatten(1).mean(dim=1) / math.log(2)
