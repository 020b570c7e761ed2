"""Samplers of diffusion models: the paper's own, and faster ones to look at a training with."""

from typing import Literal

from pydantic import Field, PositiveInt

from harness.spec.config import Family


class Sampler(Family):
    """How samples are drawn."""

    @property
    def label(self) -> str:
        """What must be said of everything drawn this way; empty for the full chain."""
        raise NotImplementedError


class Ancestral(Sampler):
    """Every step of the reverse chain, with its noise (DDPM Algorithm 2): what the tables are made with."""

    kind: Literal["ancestral"] = "ancestral"

    @property
    def label(self) -> str:
        """Nothing has to be said."""
        return ""


class DDIM(Sampler):
    """Evenly spaced steps (DDIM §4.1); `eta` scales the noise, from none to that of the full chain."""

    kind: Literal["ddim"] = "ddim"
    steps: PositiveInt = 50
    eta: float = Field(0.0, ge=0, le=1)

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DDIM, {self.steps} steps"


class DPMSolver(Sampler):
    """DPM-Solver++(2M): evenly spaced steps of second order (Lu et al. 2022, arXiv 2211.01095, Algorithm 2)."""

    kind: Literal["dpm_solver"] = "dpm_solver"
    steps: PositiveInt = 20

    @property
    def label(self) -> str:
        """The method and the number of steps."""
        return f"DPM-Solver++, {self.steps} steps"
