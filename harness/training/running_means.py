"""Running means of logged scalars, on the device until an epoch closes."""

from collections.abc import Mapping

import torch
from torch import Tensor


class RunningMeans:
    """Sums and counts of named scalars. They are part of a run's state, so that resuming keeps the means exact."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Count one more value of each scalar, without waiting for the device."""
        for name, value in values.items():
            pair = torch.stack(
                [value.detach().to(torch.float64), torch.ones((), dtype=torch.float64, device=self._device)]
            )
            self._sums[name] = self._sums[name] + pair if name in self._sums else pair

    def means_and_reset(self) -> dict[str, float]:
        """Return the mean of every scalar, in the order of names whatever checkpoint came between, and start anew."""
        means = {name: (total / count).item() for name, (total, count) in sorted(self._sums.items())}
        self._sums = {}
        return means

    def state(self) -> dict[str, Tensor]:
        """Return the sums and counts."""
        return dict(self._sums)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the sums and counts of another time."""
        self._sums = {name: value.to(self._device) for name, value in state.items()}
