"""Dropout at addresses: what is dropped of an image depends on the step and on its row, never on earlier draws."""

import torch
from torch import Tensor, nn

from harness.randomness import Stream, chances


class Dropout(nn.Module):
    """Sets elements to zero with a probability in training, and scales the others up (Srivastava et al. 2014)."""

    counters: Tensor

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        # A buffer, so that compiled passes take it from its place instead of holding its value.
        self.register_buffer("counters", torch.zeros(0, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what is left of `x` `(batch, ...)`.

        Raises `RuntimeError` in training when `drop` was not called for this batch.
        """
        if not self.training or self.probability == 0:
            return x
        if len(self.counters) != len(x):
            raise RuntimeError(f"dropout was given the rows of {len(self.counters)} images and met {len(x)}")
        dropped = chances(self.counters, self.probability, *x.shape[1:])
        return x.masked_fill(dropped, 0) * (1 / (1 - self.probability))


def seed_dropout(network: nn.Module, stream: Stream, rows: Tensor) -> None:
    """Let the next passes of a network drop what a stream says, of images with these positions in the global batch.

    Every layer draws at an address of its own. Networks without dropout are left alone.
    """
    layers = [module for module in network.modules() if isinstance(module, Dropout)]
    for number, layer in enumerate(layers):
        counters = stream.at("layer", number).counters(rows)
        if layer.counters.shape == counters.shape and layer.counters.device == counters.device:
            layer.counters.copy_(counters)
        else:
            layer.counters = counters
