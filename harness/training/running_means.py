"""Running means of logged scalars, kept on the device until the end of an epoch."""

from collections.abc import Mapping

import torch
from torch import Tensor


class RunningMeans:
    """Sums and counts of named scalars. Part of the training state, so means stay exact after a resume."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add one value of each scalar, without synchronising with the device."""
        for name, value in values.items():
            pair = torch.stack(
                [value.detach().to(torch.float64), torch.ones((), dtype=torch.float64, device=self._device)]
            )
            self._sums[name] = self._sums[name] + pair if name in self._sums else pair

    def means_and_reset(self) -> dict[str, float]:
        """Return the mean of every scalar, sorted by name (checkpoints do not keep the order), and reset."""
        means = {name: (total / count).item() for name, (total, count) in sorted(self._sums.items())}
        self._sums = {}
        return means

    def state(self) -> dict[str, Tensor]:
        """Return the sums and counts."""
        return dict(self._sums)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Load saved sums and counts."""
        self._sums = {name: value.to(self._device) for name, value in state.items()}
