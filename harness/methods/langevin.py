"""Langevin dynamics: approximate samples of an unnormalised density."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from harness.randomness import Stream

LogDensity = Callable[[Tensor], Tensor]
"""Maps images to log p(x) `(batch,)`, up to a constant."""


def gradient_of(log_density: LogDensity, images: Tensor) -> Tensor:
    """Return the gradient of log p(x) with respect to each image, not the weights; works under `no_grad` too."""
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
    """Run `steps` Langevin steps from `start` and return the final states.

    x <- x + step_size grad log p(x) + noise z with standard normal z (Welling and Teh 2011; JEM §4, with independent
    step size and noise scale). z is a function of the stream, the step and the row. `bound` clamps every component of
    the gradient (Du and Mordatch 2019).
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
    """Run YOPO-based proximal SGLD from `start` and return the final states (JEM++; YOPO: Zhang et al. 2019).

    An outer step computes p, the gradient of log p(x) with respect to the first-layer output f(x) (`features`). Its
    inner steps reuse p: x <- x + step_size clamp(p df(x)/dx, -bound, bound), clamped to [-1, 1].
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
    """Return p . f(x) per image, for a fixed `slope` p: the Hamiltonian of the first layer in YOPO."""
    return (slope * features(images)).flatten(1).sum(dim=1)
