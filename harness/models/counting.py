"""Counts parameters and FLOPs of networks without closed forms, on the meta device."""

from functools import lru_cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from harness.config.dataset import ArrayField, Dataset, Images
from harness.config.networks import Network
from harness.errors import SpecError
from harness.models.base import build_network

FLOPS_PER_PARAMETER = 2
"""One multiply-add per parameter: the estimate for passes that cannot be traced on the meta device."""


def parameters(config: Network, data: Dataset) -> int:
    """Return the number of parameters.

    Raises `SpecError` if the network cannot be built.
    """
    return sum(parameter.numel() for parameter in _built(config, data).parameters())


@lru_cache(maxsize=256)
def flops(config: Network, data: Dataset, name: str) -> float:
    """Return the FLOPs of a forward pass on one example; a multiply-add is two.

    Counts matrix products, convolutions and attention only. A pass with data-dependent control flow is estimated as one
    multiply-add per parameter. Raises `SpecError` if the network cannot be built.
    """
    network = _built(config, data)
    device = next((parameter.device for parameter in network.parameters()), torch.device("meta"))
    inputs = [_zeros(argument, device, isinstance(data, Images)) for argument in config.arguments(data, name)]
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device(device):
            getattr(network, name)(*inputs)
    except Exception:  # third-party modules may raise anything on meta tensors
        return float(FLOPS_PER_PARAMETER * parameters(config, data))
    return float(counter.get_total_flops())


@lru_cache(maxsize=64)
def _built(config: Network, data: Dataset) -> nn.Module:
    """Build the network in evaluation mode on the meta device, or in memory if its constructor needs values."""
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                return build_network(config, data).eval()
        except SpecError:
            raise
        except Exception:
            try:
                return build_network(config, data).eval()
            except Exception as error:
                why = " ".join(str(error).split())
                raise SpecError(f"network '{config.kind}' cannot be built: {type(error).__name__}: {why}") from error


def _zeros(argument: ArrayField, device: torch.device, are_pixels: bool) -> torch.Tensor:
    """Return a batch of one zero example, with pixels converted to float32."""
    dtype = torch.float32 if are_pixels and argument.dtype == "uint8" else getattr(torch, argument.dtype)
    return torch.zeros(1, *argument.shape, dtype=dtype, device=device)
