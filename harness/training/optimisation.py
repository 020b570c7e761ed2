"""The optimiser and its learning rate, as a function of the iteration."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from harness.spec.training import Training


def build_optimizer(parameters: Iterable[nn.Parameter], config: Training) -> torch.optim.Optimizer:
    """Return AdamW over one group: norms, biases and positions are decayed too, as in the authors' code."""
    return torch.optim.AdamW(
        parameters,
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


def learning_rate(config: Training, iterations_per_epoch: int, step: int) -> float:
    """Return the rate of iteration `step`: a linear warm-up from the minimum, then one cosine back to it."""
    low, high = config.min_learning_rate, config.learning_rate
    warmup = round(config.warmup_epochs * iterations_per_epoch)
    if step < warmup:
        return low + (high - low) * step / warmup
    progress = (step - warmup) / max(config.epochs * iterations_per_epoch - warmup, 1)
    return low + (high - low) * (1 + math.cos(math.pi * progress)) / 2
