"""Optimisers and learning rate schedules."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, field_validator

from harness.spec.config import Family
from harness.spec.errors import SpecError

Betas = tuple[float, float]


class Optimizer(Family):
    """An optimiser. `learning_rate` is the highest of its schedule, unscaled by the batch."""

    learning_rate: PositiveFloat


class AdamW(Optimizer):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"

    learning_rate: PositiveFloat = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.05


class Adam(Optimizer):
    """Adam; its weight decay is a part of the gradient."""

    kind: Literal["adam"] = "adam"

    betas: Betas = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


class SGD(Optimizer):
    """Stochastic gradient descent with momentum; its weight decay is a part of the gradient."""

    kind: Literal["sgd"] = "sgd"

    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0


class Schedule(Family):
    """The learning rate over the iterations."""

    def check(self, epochs: int) -> None:
        """Raise `SpecError` when the schedule does not end within so many epochs."""


class Cosine(Schedule):
    """A linear warm-up from the minimum, then one cosine back to it, both advancing with every iteration."""

    kind: Literal["cosine"] = "cosine"

    min_learning_rate: PositiveFloat = 1e-6
    warmup_epochs: NonNegativeFloat = 10.0

    def check(self, epochs: int) -> None:
        """Raise `SpecError` when the warm-up does not end."""
        if self.warmup_epochs > epochs:
            raise SpecError(f"warmup_epochs={self.warmup_epochs:g} exceeds epochs={epochs}")


class StepDecay(Schedule):
    """A linear warm-up from zero, then the highest rate, multiplied by `decay` after each of the `milestones`.

    The warm-up is counted in iterations, milestones in epochs, of which there may be fractions.
    """

    kind: Literal["step_decay"] = "step_decay"

    milestones: tuple[PositiveFloat, ...] = ()
    decay: PositiveFloat = 1.0
    warmup_iterations: NonNegativeInt = 0

    @field_validator("milestones")
    @classmethod
    def _in_order(cls, milestones: tuple[float, ...]) -> tuple[float, ...]:
        if list(milestones) != sorted(set(milestones)):
            raise SpecError("must rise from one to the next")
        return milestones

    def check(self, epochs: int) -> None:
        """Raise `SpecError` when a milestone is never reached."""
        if self.milestones and self.milestones[-1] >= epochs:
            raise SpecError(f"milestones={self.milestones[-1]:g} is not before the end of epochs={epochs}")
