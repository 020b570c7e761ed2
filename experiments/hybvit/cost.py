"""GPU-hours of the authors' runs (Tables 8 and 13), and estimates for the runs that they do not list."""

from harness.config.interfaces import LOGITS
from harness.config.networks import ViT
from harness.config.run import Run
from harness.data.catalogue import CIFAR10
from harness.registry.paper import GpuHours
from harness_papers.hybvit import runs
from harness_papers.hybvit.baselines import WRN
from harness_papers.hybvit.energy_baselines import JEM, JEM_PLUS_PLUS, VERA
from harness_papers.hybvit.runs import BACKBONE, GENVIT, HYBVIT, VIT

STATED = {
    VIT: 14.4,
    GENVIT: 17.6,
    HYBVIT: 31.2,
    HYBVIT.but(dim=192): 17.9,
    HYBVIT.but(dim=768): 77.8,
    runs.VIT_IMAGENET32: 72.0,
    runs.GENVIT_IMAGENET32: 48.0,
    runs.HYBVIT_IMAGENET32: 120.0,
    WRN: 5.2,
    JEM: 101.3,
    JEM_PLUS_PLUS: 51.0,
    VERA: 64.3,
}
"""JEM++ is computed from its minutes per epoch: Table 8 prints the hours of 200 epochs, but JEM++ trains for 150."""
HOURS_AT_ZERO_COST, HOURS_PER_BASE_COST = 14.2, 16.3
"""A linear fit to Table 8's three HybViT runs: hours against forward FLOPs relative to dim 384."""
SHARES = {
    "classification": STATED[VIT] / STATED[HYBVIT],
    "denoising": STATED[GENVIT] / STATED[HYBVIT],
    "hybrid": 1.0,
}
"""The hours of each method relative to HybViT's (Table 8)."""
CONVOLUTIONAL = {"jem++": JEM_PLUS_PLUS}
"""The run whose hours estimate those of other convolutional runs, by method; WRN for all other methods."""


def gpu_hours(run: Run) -> GpuHours:
    """Return the stated hours of a run, the hours of a run of equal cost, or an estimate from Table 8."""
    if run in STATED:
        return GpuHours(STATED[run], "stated")
    for base, hours in STATED.items():
        if (run.config.data, run.parameters, run.train_flops) == (base.config.data, base.parameters, base.train_flops):
            return GpuHours(hours, "reused")
    estimate = _from_fit(run) if isinstance(run.config.network, ViT) else _from_flops(run)
    return GpuHours(round(estimate, 1), "estimated")


def _from_fit(run: Run) -> float:
    """Scale the fitted hours of HybViT by the method's share and the number of iterations."""
    base_flops = BACKBONE.flops(CIFAR10, LOGITS)
    relative = run.config.network.flops(run.config.data, LOGITS) / base_flops
    hybrid = HOURS_AT_ZERO_COST + HOURS_PER_BASE_COST * relative
    return hybrid * SHARES[run.config.method.kind] * run.iterations / HYBVIT.iterations


def _from_flops(run: Run) -> float:
    """Scale the stated hours of a similar convolutional run by training FLOPs."""
    base = CONVOLUTIONAL.get(run.config.method.kind, WRN)
    return STATED[base] * run.train_flops / base.train_flops
