"""Table 3: out-of-distribution detection by the input density, models trained on CIFAR-10."""

from harness.registry.claims import exceed
from harness.registry.exhibit import Table
from harness.registry.metrics import AUROC_CELEBA, AUROC_CIFAR100, AUROC_INTERP, AUROC_SVHN
from harness.registry.presuppositions import at_most
from harness.registry.row import Row
from harness_papers.hybvit.energy_baselines import JEM, JEM_PLUS_PLUS_20, VERA
from harness_papers.hybvit.runs import HYBVIT, VIT

DENSITY = "log p(x)"
BEST_OTHERS = {AUROC_SVHN: "KL-EBM", AUROC_INTERP: "VERA", AUROC_CIFAR100: "WRN*", AUROC_CELEBA: "JEM++"}
RERUN = (AUROC_INTERP, AUROC_CELEBA)
"""The outliers whose best other model has a run; it has to leave room above itself."""

TABLE = Table(
    number=3,
    title="OOD detection results. Models are trained on CIFAR10 and values are AUROC",
    metrics=(AUROC_SVHN, AUROC_INTERP, AUROC_CIFAR100, AUROC_CELEBA),
    best=(AUROC_SVHN, AUROC_INTERP, AUROC_CIFAR100, AUROC_CELEBA),
    rows=(
        Row(
            "WRN*", None, reported=(0.91, None, 0.87, 0.78), section=DENSITY, source="cited",
            note="cited by the paper from Energy-based Out-of-distribution Detection [43]",
        ),
        Row("IGEBM", None, reported=(0.63, 0.70, 0.50, 0.70), section=DENSITY, source="cited"),
        Row("JEM", JEM, reported=(0.67, 0.65, 0.67, 0.75), section=DENSITY, source="cited"),
        Row(
            "JEM++", JEM_PLUS_PLUS_20, reported=(0.85, 0.57, 0.68, 0.80), section=DENSITY, source="cited",
            note="the paper does not state the number of steps; measured with M=20, as in Table 1",
        ),
        Row("VERA", VERA, reported=(0.83, 0.86, 0.73, 0.33), section=DENSITY, source="cited"),
        Row("KL-EBM", None, reported=(0.91, 0.65, 0.83, None), section=DENSITY, source="cited"),
        Row("ViT", VIT, reported=(0.93, 0.93, 0.82, 0.81), section=DENSITY),
        Row("HybViT", HYBVIT, reported=(0.93, 0.92, 0.84, 0.76), section=DENSITY),
    ),
    claims=tuple(
        exceed(
            metric, f"{DENSITY}: ViT", f"{DENSITY}: HybViT", over=f"{DENSITY}: {other}", where="§5.2.2",
            says=f"ViTs distinguish {metric.label} from the in-distribution samples better than the other models.",
            needs=at_most(metric, 0.95, f"{DENSITY}: {other}") if metric in RERUN else (),
        )
        for metric, other in BEST_OTHERS.items()
    ),
)  # fmt: skip
