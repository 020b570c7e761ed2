"""Gradient estimator for the entropy of a generator's samples (VERA §3: Grathwohl et al. 2021, arXiv 2010.04230).

The generator is x = g(z) + sigma e with standard normal z and e, so q(x) is an integral over z. The gradient of its
entropy is -E[s(x) dx], with the score s(x) = grad log q(x) = E[grad log q(x | z)] over the posterior of z given x.
The posterior is approximated by a normal distribution of fitted width, centred at the z0 that generated x.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Mean = Callable[[Tensor], Tensor]
"""Maps latents `(n, latent_dim)` to g(z)."""


@torch.no_grad()
def estimated_score(
    mean: Mean, sigma: Tensor, posterior_sigma: Tensor, images: Tensor, latents: Tensor, draws: Tensor
) -> Tensor:
    """Return the score grad log q(x) of each image under the generator, shaped like `images` (VERA §3).

    Self-normalised importance sampling: the mean of -(x - g(z)) / sigma^2 over z = z0 + posterior_sigma d, with d the
    standard normal `draws` `(samples, batch, latent_dim)` and weights q(x, z) over the density of z.
    """
    samples = latents + posterior_sigma * draws
    residuals = images - mean(samples.flatten(0, 1)).unflatten(0, samples.shape[:2])
    log_weights = _log_joint(residuals, sigma, samples) + draws.square().sum(dim=-1) / 2
    weights = log_weights.softmax(dim=0).reshape(*log_weights.shape, *[1] * (images.dim() - 1))
    return -(weights * residuals).sum(dim=0) / sigma**2


def evidence_bound(
    mean: Mean, sigma: Tensor, log_posterior_sigma: Tensor, images: Tensor, latents: Tensor, draws: Tensor
) -> Tensor:
    """Return the ELBO on log q(x) `(batch,)` up to a constant; the posterior's width maximises it (VERA §3).

    It is E[log q(x, z)] plus the entropy of the posterior, estimated from one z = z0 + posterior_sigma d per image;
    `draws` are standard normal, `(batch, latent_dim)`.
    """
    samples = latents + log_posterior_sigma.exp() * draws
    return _log_joint(images - mean(samples), sigma, samples) + log_posterior_sigma.sum()


def _log_joint(residuals: Tensor, sigma: Tensor, latents: Tensor) -> Tensor:
    """Return log q(x, z) without the terms that do not depend on z."""
    distances = residuals.square().flatten(latents.dim() - 1).sum(dim=-1)
    return -distances / (2 * sigma**2) - latents.square().sum(dim=-1) / 2
