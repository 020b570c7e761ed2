"""Langevin chains: samples of an unnormalised density, by its gradient and noise."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from harness.randomness import Stream

LogDensity = Callable[[Tensor], Tensor]
"""Returns log p(x) `(batch,)` of images, up to a constant."""


def gradient_of(log_density: LogDensity, images: Tensor) -> Tensor:
    """Return the gradient of log p(x) with respect to each image; weights get none. It works under `no_grad` too."""
    with torch.enable_grad():
        leaf = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(log_density(leaf).sum(), leaf)
    return gradient


def langevin(
    log_density: LogDensity,
    start: Tensor,
    steps: int,
    step_size: float,
    noise: float,
    stream: Stream,
    rows: Tensor,
    bound: float | None = None,
) -> Tensor:
    """Return where chains end that go from `start` up the gradient of log p(x), each step with noise.

    x <- x + step_size grad log p(x) + noise z with standard normal z (Welling and Teh 2011; JEM §4, with step and
    noise independent of each other). Row by row, z is a function of the stream, of the step and of `rows`. A `bound`
    clamps every component of the gradient (Du and Mordatch 2019).
    """
    images = start.detach()
    for k in range(steps):
        gradient = gradient_of(log_density, images)
        if bound is not None:
            gradient = gradient.clamp(-bound, bound)
        images = images + step_size * gradient
        if noise:
            images = images + noise * stream.at("langevin", k).normal(rows, *images.shape[1:])
    return images


def proximal_langevin(
    features: Callable[[Tensor], Tensor],
    log_density_from: LogDensity,
    start: Tensor,
    outer_steps: int,
    inner_steps: int,
    step_size: float,
    bound: float,
) -> Tensor:
    """Return where chains end that follow the gradient through the first layer alone for some steps at a time.

    An outer step takes p, the gradient of log p(x) with respect to what the first layer f, `features`, makes of x; its
    inner steps are x <- x + step_size clamp(p d f(x) / dx, -bound, bound), within [-1, 1] (JEM++, after YOPO, Zhang
    et al. 2019).
    """
    images = start.detach()
    for _ in range(outer_steps):
        with torch.no_grad():
            made = features(images)
        through_first = partial(_product, features, gradient_of(log_density_from, made))
        for _ in range(inner_steps):
            gradient = gradient_of(through_first, images)
            images = (images + step_size * gradient.clamp(-bound, bound)).clamp(-1, 1)
    return images


def _product(features: Callable[[Tensor], Tensor], slope: Tensor, images: Tensor) -> Tensor:
    """Return the product of what the first layer makes of images with a fixed slope: its Hamiltonian in YOPO."""
    return (slope * features(images)).flatten(1).sum(dim=1)
