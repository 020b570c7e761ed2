"""Samplers of diffusion models: the paper's own, and faster ones to look at a training with."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, PositiveInt, SerializeAsAny

from harness.config.family import Family


class Sampler(Family):
    """How samples are drawn.

    `implementation` names a function of the sampler, a `harness.diffusion.samplers.ReverseProcess` and the initial
    noise that returns images in [-1, 1]; methods without such a process refuse the sampler.
    """

    implementation: ClassVar[str]
    full: ClassVar[bool] = False
    """Whether it is the model's own full chain, which every generator has."""

    @property
    def label(self) -> str:
        """What must be said of everything drawn this way; empty for the full chain."""
        raise NotImplementedError

    def passes(self, chain: int) -> int:
        """Return the network evaluations for one sample, of a model whose full chain has `chain` steps."""
        return chain


class Ancestral(Sampler):
    """Every step of the reverse chain, with its noise (DDPM Algorithm 2): what the tables are made with."""

    kind: Literal["ancestral"] = "ancestral"
    implementation: ClassVar[str] = "harness.diffusion.samplers:ancestral"
    full: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """Nothing has to be said."""
        return ""


class FewSteps(Sampler):
    """A sampler that takes `steps` of the chain."""

    shrinks: ClassVar[Mapping[str, str]] = {"steps": "sampler_steps"}

    steps: PositiveInt

    def passes(self, chain: int) -> int:
        """Return the steps."""
        return self.steps


class DDIM(FewSteps):
    """Evenly spaced steps (DDIM §4.1); `eta` scales the noise, from none to that of the full chain."""

    kind: Literal["ddim"] = "ddim"
    implementation: ClassVar[str] = "harness.diffusion.samplers:ddim"

    steps: PositiveInt = 50
    eta: float = Field(0.0, ge=0, le=1)

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DDIM, {self.steps} steps"


class DPMSolver(FewSteps):
    """DPM-Solver++(2M): evenly spaced steps of second order (Lu et al. 2022, arXiv 2211.01095, Algorithm 2)."""

    kind: Literal["dpm_solver"] = "dpm_solver"
    implementation: ClassVar[str] = "harness.diffusion.samplers:dpm_solver"

    steps: PositiveInt = 20

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DPM-Solver++, {self.steps} steps"


AnySampler = Annotated[SerializeAsAny[Sampler], BeforeValidator(Sampler.read)]
