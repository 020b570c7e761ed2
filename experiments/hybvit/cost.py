"""What the runs cost the authors on their GPU (Tables 8 and 13), and what follows for runs that they do not list."""

from experiments.hybvit import runs
from experiments.hybvit.runs import BACKBONE, GENVIT, HYBVIT, VIT
from harness.data.catalogue import CIFAR10
from harness.spec.paper import GpuHours
from harness.spec.run import Run

STATED = {
    VIT: 14.4,
    GENVIT: 17.6,
    HYBVIT: 31.2,
    HYBVIT.but(dim=192): 17.9,
    HYBVIT.but(dim=768): 77.8,
    runs.VIT_IMAGENET32: 72.0,
    runs.GENVIT_IMAGENET32: 48.0,
    runs.HYBVIT_IMAGENET32: 120.0,
}
HOURS_AT_ZERO_COST, HOURS_PER_BASE_COST = 14.2, 16.3
"""A line through Table 8's three HybViT runs: hours against the forward cost relative to dim 384."""
SHARES = {
    "classification": STATED[VIT] / STATED[HYBVIT],
    "denoising": STATED[GENVIT] / STATED[HYBVIT],
    "hybrid": 1.0,
}


def gpu_hours(run: Run) -> GpuHours:
    """Return the stated hours of a run, those of a run of equal cost, or an estimate from Table 8."""
    if run in STATED:
        return GpuHours(STATED[run], "stated")
    for base, hours in STATED.items():
        if (run.config.data, run.parameters, run.train_flops) == (base.config.data, base.parameters, base.train_flops):
            return GpuHours(hours, "reused")
    base_flops = BACKBONE.forward_flops(CIFAR10, conditioned=False)
    relative = run.config.network.forward_flops(run.config.data, conditioned=False) / base_flops
    hybrid = HOURS_AT_ZERO_COST + HOURS_PER_BASE_COST * relative
    hours = hybrid * SHARES[run.config.method.kind] * run.iterations / HYBVIT.iterations
    return GpuHours(round(hours, 1), "estimated")
