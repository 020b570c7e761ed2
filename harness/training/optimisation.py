"""Builds optimisers, torch's or third-party ones."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from harness.config.optimisation import Optimizer
from harness.config.resolve import resolve
from harness.errors import SpecError


def build_optimizer(parameters: Iterable[nn.Parameter], config: Optimizer) -> torch.optim.Optimizer:
    """Build an optimiser with a single group: weight decay applies to norms, biases and position embeddings too.

    Raises `SpecError` if the implementation is not an optimiser, rejects its arguments, or needs a closure.
    """
    build = resolve(config.implementation)
    try:
        optimizer = build(parameters, **config.arguments())
    except (TypeError, ValueError) as error:
        raise SpecError(f"optimizer '{config.kind}': {config.implementation}: {error}") from error
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise SpecError(f"optimizer '{config.kind}': {config.implementation} is not a torch.optim.Optimizer")
    if needed := _needed_by(optimizer.step):
        raise SpecError(
            f"optimizer '{config.kind}': the step of {config.implementation} needs a {needed}, and training evaluates "
            "each loss once: choose an optimiser whose step takes no arguments"
        )
    return optimizer


def _needed_by(call: Callable[..., Any]) -> str:
    """Return the name of the first required argument of a callable, or an empty string."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(call).parameters.values()
    return next((each.name for each in parameters if each.default is each.empty and each.kind not in variable), "")
