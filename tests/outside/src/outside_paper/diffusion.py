"""Diffusion in the paper: a noise schedule, a loss and a sampler for Gaussian processes, and another process."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import PositiveFloat, PositiveInt

from harness.config.processes import DenoisingLoss, NoiseSchedule, Process
from harness.config.samplers import FewSteps


class SigmoidNoise(NoiseSchedule):
    """Sigmoid noise schedule (Jabri et al. 2022)."""

    kind: Literal["outside.sigmoid"] = "outside.sigmoid"
    implementation: ClassVar[str] = "outside_paper.nn.diffusion:sigmoid_betas"

    start: float = -3.0
    end: float = 3.0
    temperature: PositiveFloat = 1.0


class Huber(DenoisingLoss):
    """Huber loss: squared up to `delta`, absolute beyond."""

    kind: Literal["outside.huber"] = "outside.huber"
    implementation: ClassVar[str] = "outside_paper.nn.diffusion:huber"

    delta: PositiveFloat = 1.0


class QuadraticDDIM(FewSteps):
    """Deterministic DDIM with quadratic timesteps, denser at low noise (DDIM §D.2)."""

    kind: Literal["outside.quadratic_ddim"] = "outside.quadratic_ddim"
    implementation: ClassVar[str] = "outside_paper.nn.diffusion:quadratic_ddim"

    steps: PositiveInt = 10

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"quadratic DDIM, {self.steps} steps"


class RectifiedFlow(Process):
    """Straight lines between noise and images in `steps`; the network predicts the direction (Liu et al. 2022)."""

    kind: Literal["outside.rectified_flow"] = "outside.rectified_flow"
    implementation: ClassVar[str] = "outside_paper.nn.flow:RectifiedFlow"
    shrinks: ClassVar[Mapping[str, str]] = {"steps": "timesteps"}

    steps: PositiveInt = 50

    @property
    def sampler_steps(self) -> int:
        """The number of steps."""
        return self.steps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return the flow with fewer steps."""
        return self.but(steps=min(steps, self.steps))
