"""Training configurations: length, batch, optimiser, schedule, weight averaging and model selection."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import inf
from numbers import Real
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from harness.config.base import Config
from harness.config.dataset import Dataset
from harness.config.guard import asking
from harness.config.optimisation import AdamW, AnyOptimizer, AnySchedule, Cosine, Optimizer, Schedule
from harness.config.shrinking import Length, Shrinking
from harness.errors import SpecError, given, unknown

Precision = Literal["fp32", "tf32", "bf16"]
"""Precision of matrix products in training and sampling. `tf32` differs from `fp32` only on GPUs that support it."""

COMMON: dict[str, type[Optimizer] | type[Schedule]] = {"optimizer": AdamW, "schedule": Cosine}
"""The default optimiser and schedule, with fields that `Training` also accepts directly."""

PLAYERS = ("player_optimizers", "player_schedules", "player_averages")
"""The fields that override a setting per player."""


class Average(Config):
    """Exponential moving average of a player's weights, updated after every `every`-th step.

    Without a `decay` the last weights are evaluated.
    """

    shrinks: ClassVar[Mapping[str, str]] = {"decay": "ema_decay"}

    decay: float | None = Field(ge=0, lt=1)
    every: PositiveInt = 1


class BestOn(Config):
    """Model selection: evaluate the state after the epoch with the best validation value on a split.

    The method defines the value; ties go to the first epoch.
    """

    split: str = "validation"


class Training(Config):
    """Length of training, optimiser and schedule, gradient clipping, and EMA of the weights.

    `passes_per_epoch` is the number of passes over the training split per epoch. `clip_norm` bounds the gradient norm
    of each player; None disables clipping. Without an `ema_decay` the last weights are evaluated. `player_optimizers`,
    `player_schedules` and `player_averages` override the optimiser, the schedule and the average per player. The
    defaults are AdamW and a cosine schedule; their fields may be given here directly. Without `select`, the final state
    is evaluated.
    """

    left_out: ClassVar[frozenset[str]] = frozenset({*PLAYERS, "select"})
    shrinks: ClassVar[Mapping[str, str]] = {
        "epochs": "epochs",
        "batch_size": "batch",
        "passes_per_epoch": "passes",
        "ema_decay": "ema_decay",
        "precision": "precision",
    }

    epochs: PositiveInt
    batch_size: PositiveInt = 128
    passes_per_epoch: PositiveInt = 3
    optimizer: AnyOptimizer = AdamW()
    player_optimizers: dict[str, AnyOptimizer] = Field(default_factory=dict)
    schedule: AnySchedule = Cosine()
    player_schedules: dict[str, AnySchedule] = Field(default_factory=dict)
    clip_norm: PositiveFloat | None = 1.0
    ema_decay: float | None = Field(0.999, ge=0, lt=1)
    player_averages: dict[str, Average] = Field(default_factory=dict)
    select: BestOn | None = None
    precision: Precision = "fp32"

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, values: Any) -> Any:
        """Move fields given directly into the default optimiser and schedule."""
        if not isinstance(values, Mapping):
            return values
        gathered = dict(values)
        for part, kind in COMMON.items():
            own = {name: gathered.pop(name) for name in kind.model_fields if name in gathered}
            if own and part not in gathered:
                gathered[part] = kind(**own)
            else:
                gathered |= own
        return gathered

    def written(self, document: dict[str, Any]) -> dict[str, Any]:
        """Serialise the fields of the default optimiser and schedule inline, as before others existed."""
        written: dict[str, Any] = super().written(document)
        if all(type(getattr(self, part)) is kind and kind.revision == 1 for part, kind in COMMON.items()):
            for part in COMMON:
                fields = written.pop(part)
                del fields["kind"]
                written |= fields
        return written

    @model_validator(mode="after")
    def _schedules_end(self) -> "Training":
        for schedule in (self.schedule, *self.player_schedules.values()):
            schedule.check(self.epochs)
        return self

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a shorter training, with the schedule shrunk to its length."""

        def small(name: str) -> int:
            size: int = shrinking.resized(self, name, getattr(self, name))
            return size

        batches = whole_batches(shrinking.small_data, small("passes_per_epoch"), small("batch_size"))
        length = Length(
            epochs=(self.epochs, small("epochs")),
            iterations_per_epoch=(self.iterations_per_epoch(shrinking.data), batches),
            factor=shrinking.factor(self, "epochs", self.epochs),
        )
        return replace(shrinking, length=length).applied(self)

    def check_players(self, players: Collection[str]) -> None:
        """Raise `SpecError` if an override names a player that the method does not have."""
        for field in PLAYERS:
            for name in getattr(self, field):
                if name not in players:
                    raise unknown(f"player in {field}", name, players)

    def optimizer_of(self, player: str) -> Optimizer:
        """Return the optimiser of a player."""
        return self.player_optimizers.get(player, self.optimizer)

    def schedule_of(self, player: str) -> Schedule:
        """Return the schedule of a player."""
        return self.player_schedules.get(player, self.schedule)

    def average_of(self, player: str) -> Average:
        """Return the weight average of a player."""
        return self.player_averages.get(player, Average(decay=self.ema_decay))

    def rate(self, step: int, iterations_per_epoch: int, player: str) -> float:
        """Return the learning rate of a player at iteration `step`, counted from 0."""
        schedule, peak = self.schedule_of(player), self.optimizer_of(player).learning_rate
        with asking(f"schedule '{schedule.kind}', step {step}"):
            rate: Any = schedule.rate(step, iterations_per_epoch, self.epochs, peak)
            if not isinstance(rate, Real) or not 0 <= float(rate) < inf:
                raise SpecError(f"the rate is {given(rate)}, not a finite number of 0 or more")
        return float(rate)

    def check_batch(self, data: Dataset) -> None:
        """Raise `SpecError` if a batch exceeds the training split: a permutation would contain no full batch."""
        if self.batch_size > (examples := data.examples("train")):
            raise SpecError(f"batch_size={self.batch_size} exceeds the {examples:,} training examples of '{data.name}'")

    def iterations_per_epoch(self, data: Dataset) -> int:
        """Return the number of optimiser steps per epoch."""
        return whole_batches(data, self.passes_per_epoch, self.batch_size)

    def iterations(self, data: Dataset) -> int:
        """Return the number of optimiser steps of the whole run."""
        return self.epochs * self.iterations_per_epoch(data)


def whole_batches(data: Dataset, passes: int, batch_size: int) -> int:
    """Return the number of full batches in the examples of this many passes over the training split together."""
    return passes * data.examples("train") // batch_size
