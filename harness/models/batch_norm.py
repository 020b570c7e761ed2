"""BatchNorm with statistics over the global batch on any number of ranks, for the harness's BatchNorm and torch's."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

Stack = Callable[[Tensor], Tensor]
"""All-gathers a rank's tensor to `(ranks, ...)`, differentiably."""


class BatchNorm(nn.Module):
    """Normalises each channel of `(batch, channels, height, width)` (Ioffe and Szegedy 2015).

    Uses batch statistics in training and running statistics, updated with weight `momentum`, in evaluation. With a
    `stack`, batch statistics cover all ranks, whose local batches may differ in size; torch's SyncBatchNorm does this
    on GPUs only.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum = momentum
        self.eps = eps
        self.stack: Stack | None = None
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised tensor, in the precision of `x`."""
        normalise = F.batch_norm if self.stack is None else partial(batch_norm_over_ranks, self.stack)
        statistics = self.running_mean, self.running_var
        return normalise(x, *statistics, self.weight, self.bias, self.training, self.momentum, self.eps)


def batch_norm_over_ranks(
    stack: Stack,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return this rank's part of torch's `batch_norm` of the concatenated batches of all ranks.

    Combines the moments of the ranks as in Chan, Golub and LeVeque (1983), which is stable for large means.
    """
    if not training:
        return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    values = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    own_variance, own_mean = torch.var_mean(values, dim=(0, *range(2, x.dim())), correction=0)
    count = own_mean.new_full((1,), values.numel() / len(own_mean))
    moments = stack(torch.cat([own_mean, own_variance, count]))
    means, variances, counts = moments.split([len(own_mean), len(own_mean), 1], dim=1)
    shares = counts / counts.sum()
    mean = (shares * means).sum(dim=0)
    variance = (shares * (variances + (means - mean) ** 2)).sum(dim=0)
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean, momentum)
            running_var.lerp_(variance / (1 - 1 / counts.sum()), momentum)
    scale = (variance + eps).rsqrt() if weight is None else weight * (variance + eps).rsqrt()
    channel = (-1, *[1] * (x.dim() - 2))
    normalised = (values - mean.view(channel)) * scale.view(channel)
    return (normalised if bias is None else normalised + bias.view(channel)).to(x.dtype)


def normalise_over_ranks(network: nn.Module, stack: Stack) -> None:
    """Make every BatchNorm of a network, the harness's or torch's, use statistics over all ranks in training."""
    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.stack = stack
        elif isinstance(module, _BatchNorm) and not isinstance(module, nn.SyncBatchNorm):
            forward = partial(_forward_over_ranks, module, module.forward, stack)
            setattr(module, "forward", torch.compiler.disable(forward))  # noqa: B010 (mypy allows no assignment)


def _forward_over_ranks(module: nn.Module, forward: Callable[..., Any], stack: Stack, *inputs: Any) -> Any:
    """Call a torch BatchNorm or a subclass with `F.batch_norm` replaced."""
    if not module.training:
        return forward(*inputs)
    with _OverRanks(stack):
        return forward(*inputs)


class _OverRanks(TorchFunctionMode):
    """Replaces every call of `F.batch_norm` by `batch_norm_over_ranks`."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self._stack = stack

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is F.batch_norm:
            return batch_norm_over_ranks(self._stack, *args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))
