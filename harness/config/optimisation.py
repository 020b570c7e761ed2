"""Optimisers and learning rate schedules."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    SerializeAsAny,
    field_validator,
)

from harness.config.family import Family
from harness.errors import SpecError

if TYPE_CHECKING:
    from harness.config.shrinking import Shrinking

Betas = tuple[float, float]


class Optimizer(Family):
    """An optimiser. `learning_rate` is the highest of its schedule, unscaled by the batch.

    `implementation` names a `torch.optim.Optimizer`, which gets the parameters of a network in one group and
    `arguments`: norms, biases and positions are decayed too.
    """

    implementation: ClassVar[str]
    shrinks: ClassVar[Mapping[str, str]] = {"learning_rate": "learning_rate"}

    learning_rate: PositiveFloat

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the implementation: the fields, with `learning_rate` called `lr`."""
        settings = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        return {"lr": settings.pop("learning_rate"), **settings}


class Fused(Optimizer):
    """An optimiser of torch whose step is one kernel for all parameters."""

    def arguments(self) -> dict[str, Any]:
        """Return the fields, and ask for the fused kernel."""
        return {**super().arguments(), "fused": True}


class AdamW(Fused):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    implementation: ClassVar[str] = "torch.optim:AdamW"

    learning_rate: PositiveFloat = 1e-3
    betas: Betas = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.05


class Adam(Fused):
    """Adam; its weight decay is a part of the gradient."""

    kind: Literal["adam"] = "adam"
    implementation: ClassVar[str] = "torch.optim:Adam"

    betas: Betas = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


class SGD(Fused):
    """Stochastic gradient descent with momentum; its weight decay is a part of the gradient."""

    kind: Literal["sgd"] = "sgd"
    implementation: ClassVar[str] = "torch.optim:SGD"

    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0


class Schedule(Family):
    """The learning rate over the iterations."""

    def check(self, epochs: int) -> None:
        """Raise `SpecError` when the schedule does not end within so many epochs."""

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the learning rate of iteration `step`, counted from 0, whose highest value is `peak`."""
        raise NotImplementedError


class Constant(Schedule):
    """The same rate throughout."""

    kind: Literal["constant"] = "constant"

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the peak."""
        return peak


class Cosine(Schedule):
    """A linear warm-up from the minimum, then one cosine back to it, both advancing with every iteration."""

    kind: Literal["cosine"] = "cosine"

    min_learning_rate: PositiveFloat = 1e-6
    warmup_epochs: NonNegativeFloat = 10.0

    def shrunk(self, shrinking: "Shrinking") -> Self:
        """Return it with a warm-up that is shorter by the factor of the epochs, and not longer than they are."""
        length = shrinking.length
        warmup = min(self.warmup_epochs * length.factor, length.epochs[1])
        return shrinking.applied(self, warmup_epochs=warmup)

    def check(self, epochs: int) -> None:
        """Raise `SpecError` when the warm-up does not end."""
        if self.warmup_epochs > epochs:
            raise SpecError(f"warmup_epochs={self.warmup_epochs:g} exceeds epochs={epochs}")

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the rate of a linear warm-up from the minimum, then of one cosine back to it."""
        low = self.min_learning_rate
        warmup = round(self.warmup_epochs * iterations_per_epoch)
        if step < warmup:
            return low + (peak - low) * step / warmup
        progress = (step - warmup) / max(epochs * iterations_per_epoch - warmup, 1)
        return low + (peak - low) * (1 + math.cos(math.pi * progress)) / 2


class StepDecay(Schedule):
    """A linear warm-up from zero, then the highest rate, multiplied by `decay` after each of the `milestones`.

    The warm-up is counted in iterations, milestones in epochs, of which there may be fractions.
    """

    kind: Literal["step_decay"] = "step_decay"

    milestones: tuple[PositiveFloat, ...] = ()
    decay: PositiveFloat = 1.0
    warmup_iterations: NonNegativeInt = 0

    def shrunk(self, shrinking: "Shrinking") -> Self:
        """Return it with milestones and warm-up where they were in the course of the training."""
        share, (before, after) = shrinking.length.share, shrinking.length.iterations_per_epoch
        return shrinking.applied(
            self,
            milestones=tuple(epoch * share for epoch in self.milestones),
            warmup_iterations=round(self.warmup_iterations / max(before, 1) * share * after),
        )

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

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the rate of a linear warm-up from zero, then of a decay at each milestone."""
        if step < self.warmup_iterations:
            return peak * step / self.warmup_iterations
        passed = sum(step >= round(milestone * iterations_per_epoch) for milestone in self.milestones)
        return peak * self.decay**passed


AnyOptimizer = Annotated[SerializeAsAny[Optimizer], BeforeValidator(Optimizer.read)]
AnySchedule = Annotated[SerializeAsAny[Schedule], BeforeValidator(Schedule.read)]
