"""How long and with which optimiser a run trains."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from harness.spec.config import Config
from harness.spec.data import Dataset
from harness.spec.optimisation import AdamW, Cosine, Optimizer, Schedule

Precision = Literal["fp32", "tf32", "bf16"]
"""Of the products in training and sampling. `tf32` differs from `fp32` on GPUs that have it."""

AnyOptimizer = Annotated[SerializeAsAny[Optimizer], BeforeValidator(Optimizer.read)]
AnySchedule = Annotated[SerializeAsAny[Schedule], BeforeValidator(Schedule.read)]
COMMON: dict[str, type[Optimizer] | type[Schedule]] = {"optimizer": AdamW, "schedule": Cosine}
"""The optimiser and the schedule whose fields may stand in the training itself."""


class Training(Config):
    """The length of a training, its optimiser and schedule, gradient clipping, and the EMA of the weights.

    `passes_per_epoch` counts how often an epoch goes through the training split. `clip_norm=None` clips nothing;
    without an `ema_decay` the last weights are evaluated. Players have an optimiser of their own where
    `player_optimizers` names them. Unless said otherwise it is AdamW with one cosine, whose fields may be given here.
    """

    epochs: PositiveInt
    batch_size: PositiveInt = 128
    passes_per_epoch: PositiveInt = 3
    optimizer: AnyOptimizer = AdamW()
    player_optimizers: dict[str, AnyOptimizer] = Field(default_factory=dict)
    schedule: AnySchedule = Cosine()
    clip_norm: PositiveFloat | None = 1.0
    ema_decay: float | None = Field(0.999, ge=0, lt=1)
    precision: Precision = "fp32"

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, values: Any) -> Any:
        """Put the fields of the common optimiser and schedule into these."""
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

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the fields of the common optimiser and schedule beside the others, as before there were more."""
        document: dict[str, Any] = handler(self)
        if not self.player_optimizers:
            del document["player_optimizers"]
        if all(type(getattr(self, part)) is kind for part, kind in COMMON.items()):
            for part in COMMON:
                fields = document.pop(part)
                del fields["kind"]
                document |= fields
        return document

    @model_validator(mode="after")
    def _schedule_ends(self) -> "Training":
        self.schedule.check(self.epochs)
        return self

    def optimizer_of(self, player: str) -> Optimizer:
        """Return the optimiser of a player."""
        return self.player_optimizers.get(player, self.optimizer)

    def iterations_per_epoch(self, data: Dataset) -> int:
        """Return how many whole batches fit into the passes of one epoch."""
        return self.passes_per_epoch * data.train_examples // self.batch_size

    def iterations(self, data: Dataset) -> int:
        """Return the number of optimiser steps of the whole run."""
        return self.epochs * self.iterations_per_epoch(data)
