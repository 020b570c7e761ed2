"""The weights to evaluate: an exponential moving average of a network's state, or the latest state."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from harness.config import training as spec


class Average(Protocol):
    """Maintains the weights to evaluate."""

    def update(self, step: int) -> None:
        """Update from the current weights after a step, counted from 0."""

    def weights(self) -> dict[str, Tensor]:
        """Return the weights to evaluate, named as in the network's state dict."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return the tensors to checkpoint in addition to the network's state dict."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restore the output of `state`."""


def average_of(network: nn.Module, config: spec.Average) -> Average:
    """Return an EMA of a network's state, or its latest state if there is no decay."""
    return Latest(network) if config.decay is None else EMA(network, config.decay, config.every)


class EMA:
    """Exponential moving average of the state, from the first iteration on, initialised with the initial weights.

    Updated every `every` steps, without warm-up. Running statistics are averaged like weights; integers, such as batch
    counts, are copied.
    """

    def __init__(self, network: nn.Module, decay: float, every: int = 1) -> None:
        self._network = network
        state = network.state_dict()
        self._averages = {name: value.clone() for name, value in state.items()}
        blended = [name for name, value in state.items() if value.is_floating_point()]
        self._blended = {name: self._averages[name] for name in blended}
        self._copied = {name: average for name, average in self._averages.items() if name not in self._blended}
        # Third-party modules may replace a buffer by another tensor; parameters keep their identity.
        self._buffers = [name for name, _ in network.named_buffers(remove_duplicate=False) if name in state]
        self._parameters = {name: value for name, value in state.items() if name not in self._buffers}
        self._blend = get_ema_multi_avg_fn(decay)
        self._every = every

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the averages from the current state, every `every` steps."""
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
        """Load saved averages.

        Raises `KeyError` if one is missing, `RuntimeError` if a shape differs.
        """
        for name, average in self._averages.items():
            average.copy_(state[name])


class Latest:
    """The latest state. It stores nothing, because the checkpoint has the network's state dict."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def update(self, step: int) -> None:
        """Do nothing."""

    def weights(self) -> dict[str, Tensor]:
        """Return the network's state dict."""
        return dict(self._network.state_dict())

    def state(self) -> dict[str, Tensor]:
        """Return nothing."""
        return {}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Do nothing."""
