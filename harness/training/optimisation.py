"""Optimisers of torch, or of somebody else."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from harness.config.optimisation import Optimizer
from harness.config.resolve import resolve
from harness.errors import SpecError


def build_optimizer(parameters: Iterable[nn.Parameter], config: Optimizer) -> torch.optim.Optimizer:
    """Return an optimiser over one group: norms, biases and positions are decayed too.

    Raises `SpecError` when the implementation is no optimiser, refuses its arguments, or needs a closure.
    """
    build = resolve(config.implementation)
    try:
        optimizer = build(parameters, **config.arguments())
    except (TypeError, ValueError) as error:
        raise SpecError(f"optimizer '{config.kind}': {config.implementation}: {error}") from error
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SpecError(f"optimizer '{config.kind}': {config.implementation} is no torch.optim.Optimizer")
    if needed := _needed_by(optimizer.step):
        raise SpecError(
            f"optimizer '{config.kind}': the step of {config.implementation} needs a {needed}, and training evaluates "
            "each loss once: choose an optimiser whose step takes nothing"
        )
    return optimizer


def _needed_by(call: Callable[..., Any]) -> str:
    """Return the name of the first argument that a call cannot do without, nothing where there is none."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(call).parameters.values()
    return next((each.name for each in parameters if each.default is each.empty and each.kind not in variable), "")
