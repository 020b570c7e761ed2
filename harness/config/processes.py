"""Diffusion processes: how images become noise, and by which loss a network learns the way back."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, PositiveInt, SerializeAsAny

from harness.config.family import Family


class NoiseSchedule(Family):
    """The variances of a discrete Gaussian process, written as its name where it has no settings.

    `implementation` names a function of the schedule and the number of timesteps that returns betas `(timesteps,)` in
    float64.
    """

    role: ClassVar[str] = "noise schedule"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


class CosineNoise(NoiseSchedule):
    """A squared cosine (Nichol and Dhariwal 2021, Eq. 17)."""

    kind: Literal["cosine"] = "cosine"
    implementation: ClassVar[str] = "harness.diffusion.schedules:cosine"


class LinearNoise(NoiseSchedule):
    """Betas that rise linearly (DDPM §4)."""

    kind: Literal["linear"] = "linear"
    implementation: ClassVar[str] = "harness.diffusion.schedules:linear"


class DenoisingLoss(Family):
    """The error of a prediction, written as its name where it has no settings.

    `implementation` names a function of the loss and the difference to the target that returns the error of each
    element.
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

    `implementation` names a module that satisfies `harness.diffusion.process.DiffusionProcess`, built from the process
    and the dataset. `chain` is the number of network evaluations for a sample by the full chain.
    """

    unmarked: ClassVar[str] = "gaussian"
    implementation: ClassVar[str]

    @property
    def sampler_steps(self) -> int:
        """The steps of the full chain."""
        raise NotImplementedError

    def with_sampler_steps(self, steps: int) -> Self:
        """Return the process with a chain of at most this many steps."""
        raise NotImplementedError


class GaussianProcess(Process):
    """A discrete Gaussian diffusion whose network predicts the noise (HybViT §2.1; DDPM §2)."""

    kind: Literal["gaussian"] = "gaussian"
    implementation: ClassVar[str] = "harness.diffusion.gaussian:GaussianDiffusion"
    shrinks: ClassVar[Mapping[str, str]] = {"timesteps": "timesteps"}

    timesteps: PositiveInt = 1000
    noise_schedule: AnyNoiseSchedule = CosineNoise()
    loss: AnyLoss = AbsoluteError()

    @property
    def sampler_steps(self) -> int:
        """The timesteps."""
        return self.timesteps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return the process with fewer timesteps."""
        return self.but(timesteps=min(steps, self.timesteps))


AnyProcess = Annotated[SerializeAsAny[Process], BeforeValidator(Process.read)]
