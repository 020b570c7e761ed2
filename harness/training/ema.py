"""The weights that are evaluated: an exponential moving average of a network's state, or the last one."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average(Protocol):
    """What becomes of the weights before they are evaluated."""

    def update(self) -> None:
        """Take the present weights into account."""

    def weights(self) -> dict[str, Tensor]:
        """Return what is evaluated, named as in the network's own state."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint has to keep beside the network's own state."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from the state of another time."""


def average_of(network: nn.Module, decay: float | None) -> Average:
    """Return the average of a network's state with this decay, or the state itself without one."""
    return Latest(network) if decay is None else EMA(network, decay)


class EMA:
    """Averages the state from the first iteration on, without a warm-up, starting at the initial weights.

    Running statistics are averaged as the weights are that they belong to.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._weights = network.state_dict()
        self._averages = {name: value.clone() for name, value in self._weights.items()}
        self._blend = get_ema_multi_avg_fn(decay)

    @torch.no_grad()
    def update(self) -> None:
        """Move the averages towards the present state."""
        self._blend(list(self._averages.values()), list(self._weights.values()), 0)

    def weights(self) -> dict[str, Tensor]:
        """Return the averages by name."""
        return dict(self._averages)

    def state(self) -> dict[str, Tensor]:
        """Return the averages by name."""
        return dict(self._averages)

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from averages of another time.

        Raises `KeyError` when one is missing, `RuntimeError` when a shape differs.
        """
        for name, average in self._averages.items():
            average.copy_(state[name])


class Latest:
    """The present state, which nothing is kept of: it is in the checkpoint as the network's own."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def update(self) -> None:
        """Do nothing: the present state is always that of the network."""

    def weights(self) -> dict[str, Tensor]:
        """Return the present state by name."""
        return dict(self._network.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing."""
