"""Accelerates the passes of a network: autocast around them, `torch.compile` inside.

A pass takes and returns float32 in any precision. Weights, their gradients and the optimiser stay in float32.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from harness.config.training import Precision
from harness.models.base import passes_of

Pass = Callable[..., Tensor]


def accelerate(network: nn.Module, precision: Precision, compiled: bool) -> None:
    """Replace the passes of a network, for the device of its weights.

    `bf16` autocasts them to bfloat16. Compiled passes have static shapes and use CUDA graphs on a GPU; each new shape
    recompiles, which takes about ten seconds.
    """
    for part in _with_passes(network):
        device = next(part.parameters()).device
        for name in passes_of(part):
            forward: Pass = getattr(part, name)
            if compiled:
                forward = _compiled(forward, device)
            if precision == "bf16":
                forward = _reduced(forward, device)
            setattr(part, name, forward)


def unaccelerated(network: nn.Module, name: str) -> Pass:
    """Return the original pass, for second derivatives, which compiled passes do not support."""
    forward: Pass = getattr(type(network), name).__get__(network)
    return forward


@contextmanager
def accelerated(networks: Iterable[nn.Module], precision: Precision, compiled: bool) -> Iterator[None]:
    """Accelerate networks within the context, including matrix products outside their passes."""
    chosen = list(networks)
    for network in chosen:
        accelerate(network, precision, compiled)
    try:
        with matmuls_in(precision):
            yield
    finally:
        for network in chosen:
            for part in _with_passes(network):
                for name in passes_of(part):
                    vars(part).pop(name, None)  # uncovers the method of the class


@contextmanager
def matmuls_in(precision: Precision) -> Iterator[None]:
    """Allow TF32 for float32 matrix products on a GPU within the context, unless the precision is `fp32`."""
    previous = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest" if precision == "fp32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "fp32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(previous[0])
        torch.backends.cudnn.allow_tf32 = previous[1]


def _with_passes(network: nn.Module) -> list[nn.Module]:
    """Return the submodules that define `PASSES`, or the network itself if none does."""
    listing = [part for part in network.modules() if hasattr(part, "PASSES")]
    return listing or [network]


def _compiled(forward: Pass, device: torch.device) -> Pass:
    """Compile a pass. Results are cloned because a CUDA graph reuses its output memory."""
    mode = "reduce-overhead" if device.type == "cuda" else "default"
    inner = torch.compile(forward, mode=mode, dynamic=False)
    return lambda *inputs, **named: _mapped(inner(*inputs, **named), Tensor.clone)


def _reduced(forward: Pass, device: torch.device) -> Pass:
    def run(*inputs: Any, **named: Any) -> Any:
        with torch.autocast(device.type, torch.bfloat16):
            result = forward(*inputs, **named)
        return _mapped(result, lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    return run


def _mapped(result: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Apply `change` to every tensor of a result; third-party modules may return several."""
    if isinstance(result, Tensor):
        return change(result)
    if isinstance(result, Mapping):
        return {name: _mapped(part, change) for name, part in result.items()}
    if isinstance(result, tuple | list):
        parts = [_mapped(part, change) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)  # `_fields`: a named tuple
    return result
