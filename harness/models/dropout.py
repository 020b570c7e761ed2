"""Dropout with addressed randomness: masks depend on the step and the row, never on earlier draws."""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from harness.randomness import Stream, bernoulli


class Dropout(nn.Module):
    """Zeroes elements with a probability in training and scales up the rest (Srivastava et al. 2014)."""

    counters: Tensor

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        # A buffer, so that compiled passes read its current value instead of baking in a constant.
        self.register_buffer("counters", torch.zeros(0, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply dropout to `x` `(batch, ...)`.

        Raises `RuntimeError` in training if `seed_dropout` was not called for this batch.
        """
        if not self.training or self.probability == 0:
            return x
        if len(self.counters) != len(x):
            raise RuntimeError(f"dropout is seeded for {len(self.counters)} images, not {len(x)}: call seed_dropout")
        dropped = bernoulli(self.counters, self.probability, *x.shape[1:])
        return x.masked_fill(dropped, 0) * (1 / (1 - self.probability))


_LAYERS = WeakKeyDictionary[nn.Module, list[Dropout]]()
"""The dropout layers of built networks: looking for them takes a hundredth of a small training step."""


def seed_dropout(network: nn.Module, stream: Stream, rows: Tensor) -> None:
    """Seed the dropout layers for the next forward passes.

    Masks depend on the stream, the layer, and each image's position `rows` in the global batch.
    """
    if network not in _LAYERS:
        _LAYERS[network] = [module for module in network.modules() if isinstance(module, Dropout)]
    for number, layer in enumerate(_LAYERS[network]):
        counters = stream.at("layer", number).counters(rows)
        if layer.counters.shape == counters.shape and layer.counters.device == counters.device:
            layer.counters.copy_(counters)
        else:
            layer.counters = counters
