"""Selection of the best state so far, by the method's validation value on a split.

It is part of the training state, so a resumed run selects the same state. It changes only at the end of an epoch, like
the good state for restarts, so a rollback restores the best state of that time.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from harness.training.state import below, under

Weights = dict[str, Tensor]


class Best:
    """The weights to evaluate after the epoch with the best value; ties keep the earliest."""

    def __init__(self, better: Literal["higher", "lower"]) -> None:
        self.value: float | None = None
        self.step: int | None = None
        self.weights: Weights = {}
        self._sign = 1 if better == "higher" else -1

    def update(self, value: float, step: int, weights: Callable[[], Weights]) -> None:
        """Copy the weights to CPU memory if their value beats all earlier ones; NaN never does."""
        if value != value or (self.value is not None and self._sign * value <= self._sign * self.value):
            return
        self.value, self.step = value, step
        self.weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights().items()}

    def state(self) -> dict[str, Tensor]:
        """Return value, step and weights, or nothing before the first value."""
        if self.value is None or self.step is None:
            return {}
        found = {"value": torch.tensor(self.value, dtype=torch.float64), "step": torch.tensor(self.step)}
        return found | under("weights", self.weights)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore the output of `state`."""
        self.value = state["value"].item() if "value" in state else None
        self.step = int(state["step"]) if "step" in state else None
        self.weights = {name: tensor.cpu() for name, tensor in below("weights", state).items()}
