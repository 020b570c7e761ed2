"""The weights that are evaluated: an exponential moving average of a network's state, or the last one."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from harness.config import training as spec


class Average(Protocol):
    """What becomes of the weights before they are evaluated."""

    def update(self, step: int) -> None:
        """Take the present weights into account, in a step counted from 0."""

    def weights(self) -> dict[str, Tensor]:
        """Return what is evaluated, named as in the network's own state."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint has to keep beside the network's own state."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from the state of another time."""


def average_of(network: nn.Module, config: spec.Average) -> Average:
    """Return the average of a network's state with a decay, or the state itself without one."""
    return Latest(network) if config.decay is None else EMA(network, config.decay, config.every)


class EMA:
    """Averages the state from the first iteration on, without a warm-up, starting at the initial weights.

    Only every `every`-th step moves it. Running statistics are averaged as the weights are that they belong to; whole
    numbers, such as counts of batches, are taken as they are.
    """

    def __init__(self, network: nn.Module, decay: float, every: int = 1) -> None:
        self._network = network
        state = network.state_dict()
        self._averages = {name: value.clone() for name, value in state.items()}
        blended = [name for name, value in state.items() if value.is_floating_point()]
        self._blended = {name: self._averages[name] for name in blended}
        self._copied = {name: average for name, average in self._averages.items() if name not in self._blended}
        # Somebody else's module may put another tensor in the place of a buffer; parameters stay the ones they are.
        self._buffers = [name for name, _ in network.named_buffers(remove_duplicate=False) if name in state]
        self._parameters = {name: value for name, value in state.items() if name not in self._buffers}
        self._blend = get_ema_multi_avg_fn(decay)
        self._every = every

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the averages towards the present state, if the step is one of every so many."""
        if (step + 1) % self._every:
            return
        present = self._parameters | {name: self._network.get_buffer(name) for name in self._buffers}
        self._blend(list(self._blended.values()), [present[name] for name in self._blended], 0)
        for name, average in self._copied.items():
            average.copy_(present[name])

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

    def update(self, step: int) -> None:
        """Do nothing: the present state is always that of the network."""

    def weights(self) -> dict[str, Tensor]:
        """Return the present state by name."""
        return dict(self._network.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing."""
