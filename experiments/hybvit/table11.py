"""Table 11: out-of-distribution detection by two scores; its upper block repeats Table 3."""

from harness.registry.exhibit import Table
from harness.registry.metrics import AUROC_CELEBA, AUROC_CIFAR100, AUROC_INTERP, AUROC_SVHN
from harness.registry.row import Row
from harness_papers.hybvit.baselines import WRN
from harness_papers.hybvit.energy_baselines import JEM, JEM_PLUS_PLUS_20, VERA
from harness_papers.hybvit.runs import HYBVIT, VIT

DENSITY, CONFIDENCE = "log p(x)", "max p(y|x)"
BY_CONFIDENCE = {"score": "max_probability"}

TABLE = Table(
    number=11,
    title="OOD detection results. Models are trained on CIFAR10. Values are AUROC",
    metrics=(AUROC_SVHN, AUROC_INTERP, AUROC_CIFAR100, AUROC_CELEBA),
    best=(AUROC_SVHN, AUROC_INTERP, AUROC_CIFAR100, AUROC_CELEBA),
    rows=(
        Row("WideResNet", None, reported=(0.91, None, 0.87, 0.78), section=DENSITY, source="cited"),
        Row("IGEBM", None, reported=(0.63, 0.70, 0.50, 0.70), section=DENSITY, source="cited"),
        Row("JEM", JEM, reported=(0.67, 0.65, 0.67, 0.75), section=DENSITY, source="cited"),
        Row(
            "JEM++", JEM_PLUS_PLUS_20, reported=(0.85, 0.57, 0.68, 0.80), section=DENSITY, source="cited",
            note="the paper does not state the number of steps; measured with M=20, as in Table 1",
        ),
        Row("VERA", VERA, reported=(0.83, 0.86, 0.73, 0.33), section=DENSITY, source="cited"),
        Row(
            "ImCD", None, reported=(0.91, 0.65, 0.83, None), section=DENSITY, source="cited",
            note="called KL-EBM in Table 3",
        ),
        Row("ViT", VIT, reported=(0.93, 0.93, 0.82, 0.81), section=DENSITY),
        Row("HybViT", HYBVIT, reported=(0.93, 0.92, 0.84, 0.76), section=DENSITY),
        Row(
            "WideResNet", WRN, reported=(0.93, 0.77, 0.85, 0.62), section=CONFIDENCE, source="uncertain",
            protocol=BY_CONFIDENCE,
        ),
        Row("IGEBM", None, reported=(0.43, 0.69, 0.54, 0.69), section=CONFIDENCE, source="cited"),
        Row(
            "JEM", JEM, reported=(0.89, 0.75, 0.87, 0.79), section=CONFIDENCE, source="cited",
            protocol=BY_CONFIDENCE,
        ),
        Row(
            "JEM++", JEM_PLUS_PLUS_20, reported=(0.94, 0.77, 0.88, 0.90), section=CONFIDENCE, source="cited",
            protocol=BY_CONFIDENCE,
        ),
        Row("ViT", VIT, reported=(0.91, 0.95, 0.82, 0.74), section=CONFIDENCE, protocol=BY_CONFIDENCE),
        Row("HybViT", HYBVIT, reported=(0.91, 0.94, 0.85, 0.67), section=CONFIDENCE, protocol=BY_CONFIDENCE),
    ),
)  # fmt: skip
