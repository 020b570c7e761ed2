"""Samplers of diffusion models: the full chain of the papers, and faster ones for previews."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveInt, SerializeAsAny

from harness.config.family import Family


class Sampler(Family):
    """A sampler of diffusion models.

    `implementation` names a function `(sampler, process, noise)` that returns images in [-1, 1], with a
    `harness.diffusion.samplers.ReverseProcess`; methods without such a process raise an error for the sampler.
    """

    implementation: ClassVar[str]
    full: ClassVar[bool] = False
    """Whether this is the model's own full chain, which every generator supports."""

    @property
    def label(self) -> str:
        """The note on all samples drawn this way, empty for the full chain."""
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
    """DDIM with evenly spaced steps (DDIM §4.1). `eta` scales the noise: 0 for none, 1 as in the full chain."""

    kind: Literal["ddim"] = "ddim"
    implementation: ClassVar[str] = "harness.diffusion.samplers:ddim"

    steps: PositiveInt = 50
    eta: float = Field(0.0, ge=0, le=1)

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DDIM, {self.steps} steps"


class DPMSolver(FewSteps):
    """DPM-Solver++(2M) with evenly spaced second-order steps (Lu et al. 2022, arXiv 2211.01095, Algorithm 2)."""

    kind: Literal["dpm_solver"] = "dpm_solver"
    implementation: ClassVar[str] = "harness.diffusion.samplers:dpm_solver"

    steps: PositiveInt = 20

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DPM-Solver++, {self.steps} steps"


AnySampler = Annotated[SerializeAsAny[Sampler], BeforeValidator(Sampler.read)]
