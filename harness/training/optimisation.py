"""Optimisers of torch, or of somebody else."""

from collections.abc import Iterable

import torch
from torch import nn

from harness.spec.errors import SpecError
from harness.spec.optimisation import Optimizer
from harness.spec.resolve import resolve


def build_optimizer(parameters: Iterable[nn.Parameter], config: Optimizer) -> torch.optim.Optimizer:
    """Return an optimiser over one group: norms, biases and positions are decayed too.

    Raises `SpecError` when the implementation is no optimiser, or takes other arguments.
    """
    build = resolve(config.implementation)
    try:
        optimizer = build(parameters, **config.arguments())
    except TypeError as error:
        raise SpecError(f"optimizer '{config.kind}': {config.implementation}: {error}") from error
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SpecError(f"optimizer '{config.kind}': {config.implementation} is no torch.optim.Optimizer")
    return optimizer
