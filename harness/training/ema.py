"""The exponential moving average of a network's weights: what is evaluated."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class EMA:
    """Averages parameters from the first iteration on, without a warm-up, starting at the initial weights."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._weights = {name: p.detach() for name, p in network.named_parameters()}
        self._averages = {name: p.clone() for name, p in self._weights.items()}
        self._blend = get_ema_multi_avg_fn(decay)

    @torch.no_grad()
    def update(self) -> None:
        """Move the averages towards the present weights."""
        self._blend(list(self._averages.values()), list(self._weights.values()), 0)

    def state(self) -> dict[str, Tensor]:
        """Return the averages by parameter name."""
        return dict(self._averages)

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from averages of another time.

        Raises `KeyError` when a parameter is missing, `RuntimeError` when a shape differs.
        """
        for name, average in self._averages.items():
            average.copy_(state[name])
