"""Table 12: accuracy under PGD attacks, models trained on CIFAR-10, one block per norm."""

from collections.abc import Sequence

from harness.registry.claims import Claim, Contrast, Term, mean_difference
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, Metric, robustness
from harness.registry.row import Printed, Row
from harness_papers.hybvit.presuppositions import breaks
from harness_papers.hybvit.runs import HYBVIT, HYBVIT_WEAK, VIT, VIT_WEAK

LINF, L2 = "L∞", "L2"
LINF_SIZES, L2_SIZES = (1, 2, 4, 8, 12, 16, 22, 30), (50, 100, 150, 200, 250, 300, 350, 400)
UNDER_LINF = tuple(robustness("linf", size) for size in LINF_SIZES)
UNDER_L2 = tuple(robustness("l2", size) for size in L2_SIZES)
TUNED_PGD = {"tuned PGD": {"step_size": None, "restarts": 5}}
"""Step size 2.5 epsilon / 50 and five restarts; the paper's step size of 20/255 overshoots small balls."""

MODELS = ("ViT", "ViT - Weak Aug", "HybViT", "HybViT - Weak Aug")
BLANK: tuple[None, ...] = (None,) * 8


def linf(clean: float, *values: float) -> tuple[Printed, ...]:
    """Return the reported values of a row of the L∞ block."""
    return (clean, *values, *BLANK)


def l2(clean: float, *values: float) -> tuple[Printed, ...]:
    """Return the reported values of a row of the L2 block."""
    return (clean, *BLANK, *values)


def gain(metrics: Sequence[Metric], section: str, other: str, weight: float = 1.0) -> tuple[Term, ...]:
    """Return the accuracy gain of weakly augmented HybViT over another row, averaged over epsilons."""
    return mean_difference(metrics, f"{section}: HybViT - Weak Aug", f"{section}: {other}", weight)


def more_robust(metrics: Sequence[Metric], section: str) -> Claim:
    """Claim that weakly augmented HybViT is more robust than every other row, averaged over epsilons."""
    contrasts = tuple(Contrast(gain(metrics, section, other), low=0) for other in MODELS[:-1])
    says = f"HybViT with weak augmentation is more robust than the other models under {section} (mean over ε)."
    return Claim(says, "Appendix C.4", contrasts, breaks(metrics, *(f"{section}: {row}" for row in MODELS)))


TABLE = Table(
    number=12,
    title="Classification accuracies when models are under PGD attacks. All models are trained on CIFAR10",
    metrics=(ACCURACY, *UNDER_LINF, *UNDER_L2),
    best=(ACCURACY, *UNDER_LINF, *UNDER_L2),
    rows=(
        Row("ViT", VIT, linf(96.5, 70.8, 46.7, 21.7, 7.0, 1.4, 0.1, 0, 0), section=LINF),
        Row("- Weak Aug", VIT_WEAK, linf(87.1, 67.3, 41.8, 14.8, 1.4, 0.1, 0, 0, 0), section=LINF, under="ViT"),
        Row("HybViT", HYBVIT, linf(95.9, 70.4, 48.0, 21.9, 5.5, 1.3, 0.3, 0, 0), section=LINF),
        Row("- Weak Aug", HYBVIT_WEAK, linf(84.6, 71.3, 55.6, 30.3, 6.7, 0.6, 0.1, 0, 0), section=LINF, under="HybViT"),
        Row("ViT", VIT, l2(96.5, 52.3, 9.2, 1.1, 0.3, 0.1, 0.1, 0, 0), section=L2),
        Row("- Weak Aug", VIT_WEAK, l2(87.1, 53.9, 21.4, 5.5, 1.0, 0.1, 0, 0, 0), section=L2, under="ViT"),
        Row("HybViT", HYBVIT, l2(95.9, 58.7, 16.3, 3.4, 1.0, 0.2, 0.1, 0.1, 0), section=L2),
        Row(
            "- Weak Aug", HYBVIT_WEAK, l2(84.6, 65.8, 42.3, 25.7, 13.2, 6.4, 3.4, 1.5, 0.7), section=L2, under="HybViT"
        ),
    ),
    readings=TUNED_PGD,
    claims=(
        more_robust(UNDER_LINF, LINF),
        more_robust(UNDER_L2, L2),
        Claim(
            "The advantage of weak augmentation over strong in HybViT is larger under L2 than under L∞ (mean over ε).",
            "Appendix C.4",
            (Contrast((*gain(UNDER_L2, L2, "HybViT"), *gain(UNDER_LINF, LINF, "HybViT", weight=-1.0)), low=0),),
            needs=tuple(
                breaks(metrics, *(f"{section}: {row}" for row in MODELS[2:]))
                for metrics, section in ((UNDER_L2, L2), (UNDER_LINF, LINF))
            ),
        ),
    ),
)
