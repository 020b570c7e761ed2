"""BatchNorm whose statistics are those of the global batch, on any number of ranks."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Stack = Callable[[Tensor], Tensor]
"""Maps a rank's tensor to those of all ranks `(ranks, ...)`, with gradients."""


class BatchNorm(nn.Module):
    """Normalises each channel of `(batch, channels, height, width)` (Ioffe and Szegedy 2015).

    In training over the batch, in evaluation by running statistics, in which a batch has the weight `momentum`. They
    are part of the state. With a `stack` the batch is that of all ranks, whose parts may differ in size: torch's
    SyncBatchNorm does the same on GPUs alone.
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
        if self.training and self.stack is not None:
            return self._over_ranks(x, self.stack)
        statistics = self.running_mean, self.running_var
        return F.batch_norm(x, *statistics, self.weight, self.bias, self.training, self.momentum, self.eps)

    def _over_ranks(self, x: Tensor, stack: Stack) -> Tensor:
        """Put the moments of the ranks together (Chan, Golub and LeVeque 1983), which no large mean spoils."""
        values = x.float() if x.dtype == torch.bfloat16 else x
        own_variance, own_mean = torch.var_mean(values, dim=(0, 2, 3), correction=0)
        count = own_mean.new_full((1,), values.numel() / len(own_mean))
        moments = stack(torch.cat([own_mean, own_variance, count]))
        means, variances, counts = moments.split([len(own_mean), len(own_mean), 1], dim=1)
        shares = counts / counts.sum()
        mean = (shares * means).sum(dim=0)
        variance = (shares * (variances + (means - mean) ** 2)).sum(dim=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance / (1 - 1 / counts.sum()), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        normalised = (values - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]
        return normalised.to(x.dtype)


def normalise_over_ranks(network: nn.Module, stack: Stack) -> None:
    """Let every BatchNorm of a network take its statistics over all ranks."""
    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.stack = stack
