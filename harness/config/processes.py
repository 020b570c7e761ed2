"""Diffusion processes: noise schedules and denoising losses."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, PositiveInt, SerializeAsAny

from harness.config.family import Family


class NoiseSchedule(Family):
    """The variances of a discrete Gaussian process, serialised as its name if it has no settings.

    `implementation` names a function `(schedule, timesteps)` that returns float64 betas `(timesteps,)`.
    """

    role: ClassVar[str] = "noise schedule"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


class CosineNoise(NoiseSchedule):
    """The squared-cosine schedule (Nichol and Dhariwal 2021, Eq. 17)."""

    kind: Literal["cosine"] = "cosine"
    implementation: ClassVar[str] = "harness.diffusion.schedules:cosine"


class LinearNoise(NoiseSchedule):
    """Linearly increasing betas (DDPM §4)."""

    kind: Literal["linear"] = "linear"
    implementation: ClassVar[str] = "harness.diffusion.schedules:linear"


class DenoisingLoss(Family):
    """The elementwise error of a prediction, serialised as its name if it has no settings.

    `implementation` names a function `(loss, difference)` that returns the error of each element of target minus
    prediction, in the same shape.
    """

    role: ClassVar[str] = "loss"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


class AbsoluteError(DenoisingLoss):
    """The absolute difference."""

    kind: Literal["l1"] = "l1"
    implementation: ClassVar[str] = "harness.diffusion.losses:absolute"


class SquaredError(DenoisingLoss):
    """The squared difference."""

    kind: Literal["l2"] = "l2"
    implementation: ClassVar[str] = "harness.diffusion.losses:squared"


AnyNoiseSchedule = Annotated[SerializeAsAny[NoiseSchedule], BeforeValidator(NoiseSchedule.read)]
AnyLoss = Annotated[SerializeAsAny[DenoisingLoss], BeforeValidator(DenoisingLoss.read)]


class Process(Family):
    """A diffusion process.

    `implementation` names a class that satisfies `harness.diffusion.process.DiffusionProcess`, built from the process
    and the dataset. `sampler_steps` is the number of network evaluations per sample with the full chain.
    """

    unmarked: ClassVar[str] = "gaussian"
    implementation: ClassVar[str]

    @property
    def sampler_steps(self) -> int:
        """The number of steps of the full chain."""
        raise NotImplementedError

    def with_sampler_steps(self, steps: int) -> Self:
        """Return a copy with a chain of at most this many steps."""
        raise NotImplementedError


class GaussianProcess(Process):
    """Discrete Gaussian diffusion with noise prediction (HybViT §2.1; DDPM §2)."""

    kind: Literal["gaussian"] = "gaussian"
    implementation: ClassVar[str] = "harness.diffusion.gaussian:GaussianDiffusion"
    shrinks: ClassVar[Mapping[str, str]] = {"timesteps": "timesteps"}

    timesteps: PositiveInt = 1000
    noise_schedule: AnyNoiseSchedule = CosineNoise()
    loss: AnyLoss = AbsoluteError()

    @property
    def sampler_steps(self) -> int:
        """The number of timesteps."""
        return self.timesteps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return a copy with at most this many timesteps."""
        return self.but(timesteps=min(steps, self.timesteps))


AnyProcess = Annotated[SerializeAsAny[Process], BeforeValidator(Process.read)]
