"""The optimiser and learning-rate schedule of the paper."""

from typing import ClassVar, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from harness.config.optimisation import Betas, Optimizer, Schedule


class Lion(Optimizer):
    """Sign-of-momentum optimiser with decoupled weight decay (Chen et al. 2023)."""

    kind: Literal["outside.lion"] = "outside.lion"
    implementation: ClassVar[str] = "outside_paper.nn.lion:Lion"

    learning_rate: PositiveFloat = 1e-3
    betas: Betas = (0.9, 0.99)
    weight_decay: NonNegativeFloat = 0.01


class WarmupStableDecay(Schedule):
    """Linear warm-up, constant rate, linear decay to zero; `warmup` and `decay` are fractions of the training."""

    kind: Literal["outside.warmup_stable_decay"] = "outside.warmup_stable_decay"

    warmup: float = Field(0.1, ge=0, le=1)
    decay: float = Field(0.2, ge=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup + self.decay > 1:
            raise ValueError(f"warmup={self.warmup:g} and decay={self.decay:g} are more than the training")
        return self

    def rate(self, step: int, iterations_per_epoch: int, epochs: int, peak: float) -> float:
        """Return the learning rate of iteration `step`."""
        total = epochs * iterations_per_epoch
        warmup, decay = self.warmup * total, self.decay * total
        rising = (step + 1) / warmup if warmup else 1.0
        falling = (total - step) / decay if decay else 1.0
        return peak * min(rising, 1.0, falling)
