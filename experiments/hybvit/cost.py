"""What the runs cost the authors on their GPU (Table 8), and what follows for runs that they do not list."""

from experiments.hybvit.runs import BACKBONE, GENVIT, HYBVIT, VIT
from harness.data.catalogue import CIFAR10
from harness.spec.paper import GpuHours
from harness.spec.run import Run

STATED = {VIT: 14.4, GENVIT: 17.6, HYBVIT: 31.2, HYBVIT.but(dim=192): 17.9, HYBVIT.but(dim=768): 77.8}

HOURS_AT_ZERO_COST, HOURS_PER_BASE_COST = 14.2, 16.3
"""A line through Table 8's three HybViT runs: hours against the forward cost relative to dim 384."""


def gpu_hours(run: Run) -> GpuHours:
    """Return the stated hours of a run, those of a run of equal cost, or an estimate from Table 8."""
    if run in STATED:
        return GpuHours(STATED[run], "stated")
    for base, hours in STATED.items():
        if (run.parameters, run.train_flops) == (base.parameters, base.train_flops):
            return GpuHours(hours, "reused")
    base_flops = BACKBONE.forward_flops(CIFAR10, conditioned=False)
    relative = run.config.network.forward_flops(run.config.data, conditioned=False) / base_flops
    hybrid = HOURS_AT_ZERO_COST + HOURS_PER_BASE_COST * relative
    share = STATED[GENVIT] / STATED[HYBVIT] if run.config.method.kind == "denoising" else 1.0
    return GpuHours(round(hybrid * share * run.iterations / HYBVIT.iterations, 1), "estimated")
