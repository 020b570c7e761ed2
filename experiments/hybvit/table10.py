"""Table 10: the ablation of data augmentation on CIFAR-10."""

from harness.registry.claims import ratio, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, INCEPTION_SCORE
from harness.registry.row import Row
from harness_papers.hybvit.presuppositions import leaves_room
from harness_papers.hybvit.runs import HYBVIT, HYBVIT_WEAK, VIT, VIT_WEAK

TABLE = Table(
    number=10,
    title="Ablation study of data augmentation on CIFAR-10",
    metrics=(ACCURACY, INCEPTION_SCORE, FID),
    best=(ACCURACY, INCEPTION_SCORE, FID),
    rows=(
        Row("Strong", VIT, reported=(96.5, None, None), section="ViT"),
        Row("Weak", VIT_WEAK, reported=(87.1, None, None), section="ViT"),
        Row("Strong", HYBVIT, reported=(95.9, 7.68, 26.4), section="HybViT"),
        Row("Weak", HYBVIT_WEAK, reported=(84.6, 7.85, 24.9), section="HybViT"),
    ),
    claims=(
        rises(
            ACCURACY, "ViT: Weak", "ViT: Strong", where="Appendix C.2",
            says="Strong augmentation is essential for ViT's accuracy.",
            needs=leaves_room("ViT: Weak"),
        ),
        rises(
            ACCURACY, "HybViT: Weak", "HybViT: Strong", where="Appendix C.2",
            says="Strong augmentation is essential for HybViT's accuracy.",
            needs=leaves_room("HybViT: Weak"),
        ),
        ratio(
            FID, "HybViT: Strong", "HybViT: Weak", low=1.0, high=1.1, where="Appendix C.2",
            says="The effect of strong augmentation on generation is negative but tiny (up to a tenth).",
        ),
    ),
)  # fmt: skip
