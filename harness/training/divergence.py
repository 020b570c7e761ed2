"""Restarts diverging training from its last good state.

The good state is the state at the end of the last epoch without a loss beyond the bound. So a rollback depends on the
steps only, not on when checkpoints were written. The good state is part of every checkpoint, so a resumed run rolls
back to the same state. After a restart all random draws use new addresses, since the same draws would diverge again.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.errors import HarnessError
from harness.methods.base import DivergenceGuard, Loss
from harness.training.state import below, under


class Diverged(HarnessError):
    """A logged value became infinite or NaN, or a loss exceeded the bound of the method's guard."""


class DivergenceRollback:
    """The number of restarts so far, and the good state for the next one."""

    def __init__(self, guard: DivergenceGuard | None) -> None:
        self.count = 0
        self.step = 0
        self.good: dict[str, Tensor] = {}
        self._guard = guard

    def check(self, loss: Loss, value: Tensor, step: int) -> None:
        """Raise `Diverged` if `value`, a loss averaged over the global batch, exceeds the bound or is NaN."""
        if self._guard is not None and not abs(found := value.item()) <= self._guard.bound:
            raise Diverged(f"training diverged in step {step}: the loss of the {loss.player} is {found:.4g}")

    def keep(self, step: int, state: Mapping[str, Tensor]) -> None:
        """Copy a good state to CPU memory, if the method has a guard."""
        if self._guard is not None:
            self.step = step
            self.good = {key: value.detach().to("cpu", copy=True) for key, value in state.items()}

    def next(self, error: Diverged) -> tuple[int, dict[str, Tensor]]:
        """Count a restart and return the step and state to roll back to.

        Raises `Diverged` if there is no guard or no restart is left.
        """
        if self._guard is None or not self.good:
            raise error
        if self.count == self._guard.restarts:
            again = f"{error} (after {self.count} restarts, the last from step {self.step})"
            raise Diverged(again) from None
        self.count += 1
        return self.step, self.good

    def state(self) -> dict[str, Tensor]:
        """Return the good state and the counts, or nothing without a guard."""
        if self._guard is None:
            return {}
        counts = {"count": torch.tensor(self.count), "step": torch.tensor(self.step)}
        return counts | under("good", self.good)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore the output of `state`.

        Raises `KeyError` if it is missing although the method has a guard.
        """
        if self._guard is not None:
            self.count, self.step = int(state["count"]), int(state["step"])
            self.good = {key: value.cpu() for key, value in below("good", state).items()}
