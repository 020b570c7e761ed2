"""Optimisers and learning-rate schedules."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

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
from harness.config.shrinking import Shrinking
from harness.errors import SpecError

Betas = tuple[float, float]


class Optimizer(Family):
    """An optimiser. `learning_rate` is the peak of its schedule, not scaled by the batch size.

    `implementation` names a `torch.optim.Optimizer`, called with the parameters of a network in one group and
    `arguments`, so weight decay also applies to norms, biases and positions.
    """

    implementation: ClassVar[str]
    shrinks: ClassVar[Mapping[str, str]] = {"learning_rate": "learning_rate"}

    learning_rate: PositiveFloat

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of the implementation: the fields, with `learning_rate` called `lr`."""
        settings = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        return {"lr": settings.pop("learning_rate"), **settings}


class Fused(Optimizer):
    """A `torch.optim` optimiser with a fused kernel."""

    def arguments(self) -> dict[str, Any]:
        """Return the fields and `fused=True`."""
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
    """Adam with weight decay added to the gradient (L2)."""

    kind: Literal["adam"] = "adam"
    implementation: ClassVar[str] = "torch.optim:Adam"

    betas: Betas = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0


class SGD(Fused):
    """Stochastic gradient descent with momentum, and weight decay added to the gradient (L2)."""

    kind: Literal["sgd"] = "sgd"
    implementation: ClassVar[str] = "torch.optim:SGD"

    momentum: float = Field(0.9, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: NonNegativeFloat = 0.0


class Schedule(Family):
    """A learning-rate schedule."""

    def check(self, epochs: int) -> None:
        """Raise `SpecError` if the schedule does not fit into this many epochs."""

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the learning rate at iteration `step`, counted from 0; `peak` is its maximum."""
        raise NotImplementedError


class Constant(Schedule):
    """A constant learning rate."""

    kind: Literal["constant"] = "constant"

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the peak."""
        return peak


class Cosine(Schedule):
    """Linear warm-up from the minimum, then one cosine decay back to it (SGDR Eq. 5), updated every iteration."""

    kind: Literal["cosine"] = "cosine"

    min_learning_rate: PositiveFloat = 1e-6
    warmup_epochs: NonNegativeFloat = 10.0

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a copy with the warm-up scaled by the factor of the epochs, capped at the number of epochs."""
        length = shrinking.length
        warmup = min(self.warmup_epochs * length.factor, length.epochs[1])
        return shrinking.applied(self, warmup_epochs=warmup)

    def check(self, epochs: int) -> None:
        """Raise `SpecError` if the warm-up exceeds the training."""
        if self.warmup_epochs > epochs:
            raise SpecError(f"warmup_epochs={self.warmup_epochs:g} exceeds epochs={epochs}")

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the rate of linear warm-up from the minimum, then cosine decay back to it."""
        low = self.min_learning_rate
        warmup = round(self.warmup_epochs * iterations_per_epoch)
        if step < warmup:
            return low + (peak - low) * step / warmup
        progress = (step - warmup) / max(epochs * iterations_per_epoch - warmup, 1)
        return low + (peak - low) * (1 + math.cos(math.pi * progress)) / 2


class StepDecay(Schedule):
    """Linear warm-up from zero, then the peak rate, multiplied by `decay` at each of the `milestones`.

    The warm-up is in iterations; milestones are in epochs and may be fractional. The warm-up counts iterations from
    `warmup_start`: with 0 the rate of the first iteration is zero.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({"warmup_start"})

    kind: Literal["step_decay"] = "step_decay"

    milestones: tuple[PositiveFloat, ...] = ()
    decay: PositiveFloat = 1.0
    warmup_iterations: NonNegativeInt = 0
    warmup_start: NonNegativeInt = 0

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a copy with milestones and warm-up at the same fractions of the training."""
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
            raise SpecError("must be strictly increasing")
        return milestones

    def check(self, epochs: int) -> None:
        """Raise `SpecError` if a milestone is never reached."""
        if self.milestones and self.milestones[-1] >= epochs:
            raise SpecError(f"milestones={self.milestones[-1]:g} is not before the end of epochs={epochs}")

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the rate of linear warm-up from zero, then decay at each milestone."""
        if (counted := step + self.warmup_start) < self.warmup_iterations:
            return peak * counted / self.warmup_iterations
        passed = sum(step >= round(milestone * iterations_per_epoch) for milestone in self.milestones)
        return peak * self.decay**passed


AnyOptimizer = Annotated[SerializeAsAny[Optimizer], BeforeValidator(Optimizer.read)]
AnySchedule = Annotated[SerializeAsAny[Schedule], BeforeValidator(Schedule.read)]
