"""The best state of a training so far, by the value that the method names on a split.

It is part of the training's state, so that a run that stops and goes on chooses the same. It moves only where an epoch
closes, as the good state of restarts does, so that a training that goes back to that finds the best of then.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from harness.training.state import below, under

Weights = dict[str, Tensor]


class Best:
    """The weights, as they are evaluated, after the epoch with the best value; of equal values the first counts."""

    def __init__(self, better: Literal["higher", "lower"]) -> None:
        self.value: float | None = None
        self.step: int | None = None
        self.weights: Weights = {}
        self._sign = 1 if better == "higher" else -1

    def update(self, value: float, step: int, weights: Callable[[], Weights]) -> None:
        """Keep the weights after a step, in main memory, if their value is better than all before; NaN never is."""
        if value != value or (self.value is not None and self._sign * value <= self._sign * self.value):
            return
        self.value, self.step = value, step
        self.weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights().items()}

    def state(self) -> dict[str, Tensor]:
        """Return value, step and weights; nothing before the first value."""
        if self.value is None or self.step is None:
            return {}
        found = {"value": torch.tensor(self.value, dtype=torch.float64), "step": torch.tensor(self.step)}
        return found | under("weights", self.weights)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state that `state` returned."""
        self.value = state["value"].item() if "value" in state else None
        self.step = int(state["step"]) if "step" in state else None
        self.weights = {name: tensor.cpu() for name, tensor in below("weights", state).items()}
