"""Restarts of a training that diverges, from its last good state.

A state is good at the end of an epoch without a loss beyond the bound. So where a training goes back to is a function
of its steps, not of when checkpoints happened to be written; it is part of every checkpoint, and a resumed run goes
back to the same state. After a restart everything is drawn at other addresses, since the same draws would end the same
way.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.errors import HarnessError
from harness.methods.base import DivergenceGuard, Loss
from harness.training.state import below, under


class Diverged(HarnessError):
    """A loss became infinite, not a number, or larger than the method's guard allows."""


class DivergenceRollback:
    """How often a training was restarted, and the good state that the next restart goes back to."""

    def __init__(self, guard: DivergenceGuard | None) -> None:
        self.count = 0
        self.step = 0
        self.good: dict[str, Tensor] = {}
        self._guard = guard

    def check(self, loss: Loss, value: Tensor, step: int) -> None:
        """Raise `Diverged` when the value of a loss in a step, its mean over the global batch, is beyond the bound."""
        if self._guard is not None and not abs(found := value.item()) <= self._guard.bound:
            raise Diverged(f"training diverged in step {step}: the loss of the {loss.player} is {found:.4g}")

    def keep(self, step: int, state: Mapping[str, Tensor]) -> None:
        """Keep a good state, in main memory, where the method has a guard."""
        if self._guard is not None:
            self.step = step
            self.good = {key: value.detach().to("cpu", copy=True) for key, value in state.items()}

    def next(self, error: Diverged) -> tuple[int, dict[str, Tensor]]:
        """Count one more restart and return the step and the state to go back to.

        Raises `Diverged` when there is no guard, or no restart is left.
        """
        if self._guard is None or not self.good:
            raise error
        if self.count == self._guard.restarts:
            again = f"{error} (and was restarted {self.count} times, the last time from step {self.step})"
            raise Diverged(again) from None
        self.count += 1
        return self.step, self.good

    def state(self) -> dict[str, Tensor]:
        """Return the good state and the counts; nothing where the method has no guard."""
        if self._guard is None:
            return {}
        counts = {"count": torch.tensor(self.count), "step": torch.tensor(self.step)}
        return counts | under("good", self.good)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state that `state` returned.

        Raises `KeyError` when there is none and the method has a guard.
        """
        if self._guard is not None:
            self.count, self.step = int(state["count"]), int(state["step"])
            self.good = {key: value.cpu() for key, value in below("good", state).items()}
