"""Optimisers and their learning rate, as a function of the iteration."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from harness.spec import optimisation as spec
from harness.spec.errors import SpecError
from harness.spec.training import Training


def build_optimizer(parameters: Iterable[nn.Parameter], config: spec.Optimizer) -> torch.optim.Optimizer:
    """Return an optimiser over one group: norms, biases and positions are decayed too.

    Raises `SpecError` for a kind that is not known here.
    """
    match config:
        case spec.AdamW() | spec.Adam():
            build = torch.optim.AdamW if isinstance(config, spec.AdamW) else torch.optim.Adam
            return build(
                parameters,
                lr=config.learning_rate,
                betas=config.betas,
                eps=config.eps,
                weight_decay=config.weight_decay,
                fused=True,
            )
        case spec.SGD():
            return torch.optim.SGD(
                parameters,
                lr=config.learning_rate,
                momentum=config.momentum,
                nesterov=config.nesterov,
                weight_decay=config.weight_decay,
                fused=True,
            )
    raise SpecError(f"no optimizer '{config.kind}' can be built")


def learning_rate(config: Training, iterations_per_epoch: int, step: int, player: str = "network") -> float:
    """Return a player's rate in iteration `step`, counted from 0.

    Raises `SpecError` for a kind of schedule that is not known here.
    """
    highest, schedule = config.optimizer_of(player).learning_rate, config.schedule
    match schedule:
        case spec.Cosine():
            return cosine(schedule, highest, config.epochs, iterations_per_epoch, step)
        case spec.StepDecay():
            return step_decay(schedule, highest, iterations_per_epoch, step)
    raise SpecError(f"no schedule '{schedule.kind}' can be followed")


def cosine(schedule: spec.Cosine, highest: float, epochs: int, iterations_per_epoch: int, step: int) -> float:
    """Return the rate of a linear warm-up from the minimum, then of one cosine back to it."""
    low = schedule.min_learning_rate
    warmup = round(schedule.warmup_epochs * iterations_per_epoch)
    if step < warmup:
        return low + (highest - low) * step / warmup
    progress = (step - warmup) / max(epochs * iterations_per_epoch - warmup, 1)
    return low + (highest - low) * (1 + math.cos(math.pi * progress)) / 2


def step_decay(schedule: spec.StepDecay, highest: float, iterations_per_epoch: int, step: int) -> float:
    """Return the rate of a linear warm-up from zero, then of a decay at each milestone."""
    if step < schedule.warmup_iterations:
        return highest * step / schedule.warmup_iterations
    passed = sum(step >= round(milestone * iterations_per_epoch) for milestone in schedule.milestones)
    return highest * schedule.decay**passed
