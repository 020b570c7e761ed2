"""How long and with which optimiser a run trains."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from harness.spec.config import Config
from harness.spec.data import Dataset
from harness.spec.errors import SpecError

Precision = Literal["fp32", "tf32", "bf16"]
"""Of the products in training and sampling. `tf32` differs from `fp32` on GPUs that have it."""


class Training(Config):
    """AdamW with linear warm-up and one cosine, gradient clipping, and an EMA of the weights.

    `passes_per_epoch` counts how often an epoch goes through the training split; `warmup_epochs` and the cosine
    advance with every iteration. Learning rates are those of the optimiser, unscaled by the batch.
    """

    epochs: PositiveInt
    batch_size: PositiveInt = 128
    passes_per_epoch: PositiveInt = 3
    learning_rate: PositiveFloat = 1e-3
    min_learning_rate: PositiveFloat = 1e-6
    warmup_epochs: NonNegativeFloat = 10.0
    weight_decay: NonNegativeFloat = 0.05
    betas: tuple[float, float] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    clip_norm: PositiveFloat = 1.0
    ema_decay: float = Field(0.999, ge=0, lt=1)
    precision: Precision = "fp32"

    @model_validator(mode="after")
    def _warmup_ends(self) -> "Training":
        if self.warmup_epochs > self.epochs:
            raise SpecError(f"warmup_epochs={self.warmup_epochs:g} exceeds epochs={self.epochs}")
        return self

    def iterations_per_epoch(self, data: Dataset) -> int:
        """Return how many whole batches fit into the passes of one epoch."""
        return self.passes_per_epoch * data.train_examples // self.batch_size

    def iterations(self, data: Dataset) -> int:
        """Return the number of optimiser steps of the whole run."""
        return self.epochs * self.iterations_per_epoch(data)
