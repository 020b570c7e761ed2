"""The evaluation protocol of each metric, as in the authors' code (docs/deviations.md)."""

from typing import Literal

from harness.config.evaluations import (
    Accuracy,
    Calibration,
    Evaluation,
    Generation,
    Likelihood,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.config.run import Run
from harness.data.catalogue import CELEBA32, CIFAR100, SVHN
from harness.registry import metrics
from harness.registry.metrics import Metric
from harness_papers.hybvit.table12 import L2_SIZES, LINF_SIZES, UNDER_L2, UNDER_LINF

GENERATION = Generation(samples=10_000, features="inception", reference="train", score_splits=10)
GENERATION_ON = {
    "stl10": GENERATION.but(samples=5_000),
    "tiny_imagenet": GENERATION.but(reference="test"),
    "imagenet32": GENERATION.but(reference="test"),
}
"""STL10 has fewer samples. `test` is the validation split of the last two, the reference in the authors' code."""


def attack(norm: Literal["linf", "l2"], sizes: tuple[int, ...]) -> Robustness:
    """Return the authors' attack: 50 steps of 20/255 for both norms, one random start, 1,000 images."""
    return Robustness(norm=norm, epsilons=sizes, steps=50, step_size=20, restarts=1, images=1000)


PROTOCOLS: dict[Metric, Evaluation] = {
    metrics.ACCURACY: Accuracy(),
    metrics.BPD: Likelihood(),
    metrics.ECE: Calibration(bins=20),
    metrics.CONFIDENCE_GAP: Calibration(bins=20),
    metrics.AUROC_SVHN: OutOfDistribution(outliers=SVHN),
    metrics.AUROC_INTERP: OutOfDistribution(outliers=None),
    metrics.AUROC_CIFAR100: OutOfDistribution(outliers=CIFAR100),
    metrics.AUROC_CELEBA: OutOfDistribution(outliers=CELEBA32),
    metrics.PARAMETERS: Size(),
    metrics.MINUTES_PER_EPOCH: Runtime(),
    metrics.RUNTIME_HOURS: Runtime(),
    metrics.RUNTIME_TEXT: Runtime(),
    **dict.fromkeys(UNDER_LINF, attack("linf", LINF_SIZES)),
    **dict.fromkeys(UNDER_L2, attack("l2", L2_SIZES)),
}


def protocol(metric: Metric, run: Run) -> Evaluation:
    """Return the evaluation that measures a metric of a run."""
    if metric in (metrics.INCEPTION_SCORE, metrics.FID):
        return GENERATION_ON.get(run.config.data.name, GENERATION)
    return PROTOCOLS[metric]
