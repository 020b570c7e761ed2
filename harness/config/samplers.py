"""Samplers of diffusion models: the full chain of the papers, and faster ones for previews."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveInt, SerializeAsAny

from harness.config.family import Family


class Sampler(Family):
    """A sampler of diffusion models.

    `implementation` names a function `(sampler, process, noise)` that returns images in [-1, 1]; `process` is a
    `harness.diffusion.samplers.ReverseProcess`. Methods without one accept only samplers that are `full`.
    """

    implementation: ClassVar[str]
    full: ClassVar[bool] = False
    """Whether this is the model's own full chain, which every generator supports."""

    @property
    def label(self) -> str:
        """The note on samples drawn with this sampler, empty for the full chain."""
        raise NotImplementedError

    def passes(self, chain: int) -> int:
        """Return the network evaluations per sample for a model with a full chain of `chain` steps."""
        return chain


class Ancestral(Sampler):
    """Ancestral sampling over the full reverse chain (DDPM Algorithm 2), used for the tables."""

    kind: Literal["ancestral"] = "ancestral"
    implementation: ClassVar[str] = "harness.diffusion.samplers:ancestral"
    full: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """Empty: no note is needed."""
        return ""


class FewSteps(Sampler):
    """A sampler with fewer steps than the full chain."""

    shrinks: ClassVar[Mapping[str, str]] = {"steps": "sampler_steps"}

    steps: PositiveInt

    def passes(self, chain: int) -> int:
        """Return the number of steps."""
        return self.steps


class DDIM(FewSteps):
    """DDIM with evenly spaced timesteps (DDIM Eq. 12, 16). `eta` scales the noise: none at 0, the full chain's at 1."""

    kind: Literal["ddim"] = "ddim"
    implementation: ClassVar[str] = "harness.diffusion.samplers:ddim"

    steps: PositiveInt = 50
    eta: float = Field(0.0, ge=0, le=1)

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DDIM, {self.steps} steps"


class DPMSolver(FewSteps):
    """DPM-Solver++(2M) with steps evenly spaced in log-SNR (Lu et al. 2022, arXiv 2211.01095, Algorithm 2)."""

    kind: Literal["dpm_solver"] = "dpm_solver"
    implementation: ClassVar[str] = "harness.diffusion.samplers:dpm_solver"

    steps: PositiveInt = 20

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DPM-Solver++, {self.steps} steps"


AnySampler = Annotated[SerializeAsAny[Sampler], BeforeValidator(Sampler.read)]
