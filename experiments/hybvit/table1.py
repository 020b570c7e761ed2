"""Table 1: hybrid, generative and discriminative models on CIFAR-10."""

from harness.registry.claims import Claim, Contrast, Term, drops_at_most, exceed, falls, in_abstract
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, INCEPTION_SCORE
from harness.registry.presuppositions import comparable_operations
from harness.registry.row import Row
from harness_papers.hybvit.baselines import DDPM, WRN
from harness_papers.hybvit.energy_baselines import JEM, JEM_PLUS_PLUS_20, VERA
from harness_papers.hybvit.presuppositions import classifies, generates
from harness_papers.hybvit.runs import GENVIT, HYBVIT, VIT

HYBRID, GENERATIVE, OTHER = "Single Hybrid Model", "Generative Models", "Other Models"
MEASURED_HYBRIDS = (f"{HYBRID}: JEM", f"{HYBRID}: JEM++ (M=20)")
SAME_EFFORT = tuple(comparable_operations(other, "HybViT") for other in MEASURED_HYBRIDS)

TABLE = Table(
    number=1,
    title="Results on CIFAR-10",
    metrics=(ACCURACY, INCEPTION_SCORE, FID),
    best=(ACCURACY, INCEPTION_SCORE, FID),
    rows=(
        Row("ViT", VIT, reported=(96.5, None, None)),
        Row("GenViT", GENVIT, reported=(None, 8.17, 20.2)),
        Row("HybViT", HYBVIT, reported=(95.9, 7.68, 26.4)),
        Row("IGEBM", None, reported=(49.1, 8.30, 37.9), section=HYBRID, source="cited"),
        Row("JEM", JEM, reported=(92.9, 8.76, 38.4), section=HYBRID, source="cited"),
        Row("JEM++ (M=20)", JEM_PLUS_PLUS_20, reported=(94.1, 8.11, 38.0), section=HYBRID, source="cited"),
        Row("JEAT", None, reported=(85.2, 8.80, 38.2), section=HYBRID, source="cited"),
        Row("SNGAN", None, reported=(None, 8.59, 21.7), section=GENERATIVE, source="cited"),
        Row("StyleGAN2-ADA", None, reported=(None, 9.74, 2.92), section=GENERATIVE, source="cited"),
        Row("DDPM", DDPM, reported=(None, 9.46, 3.17), section=GENERATIVE, source="cited"),
        Row("DiffuEBM", None, reported=(None, 8.31, 9.58), section=GENERATIVE, source="cited"),
        Row("VAEBM", None, reported=(None, 8.43, 12.2), section=GENERATIVE, source="cited"),
        Row("FlowEBM", None, reported=(None, None, 78.1), section=GENERATIVE, source="cited"),
        Row("WRN-28-10", WRN, reported=(96.2, None, None), section=OTHER, source="uncertain"),
        Row("VERA(w/ generator)", VERA, reported=(93.2, 8.11, 30.5), section=OTHER, source="cited"),
    ),
    claims=(
        drops_at_most(
            ACCURACY, "ViT", "HybViT", by=2, where="§4.2",
            says="HybViT retains an accuracy comparable to ViT's (a drop of 2 points at most).",
            needs=classifies("ViT", "HybViT"),
        ),
        in_abstract(
            Claim(
                "HybViT outperforms JEM (K=20) and JEM++ (M=20), the best other hybrid models, in accuracy.", "§5.1",
                tuple(
                    Contrast((Term(1, "HybViT", ACCURACY), Term(-1, other, ACCURACY)), low=0)
                    for other in MEASURED_HYBRIDS
                ),
                needs=(*classifies("HybViT", *MEASURED_HYBRIDS), *SAME_EFFORT),
            )
        ),
        in_abstract(
            exceed(
                FID, *MEASURED_HYBRIDS, over="HybViT", where="§5.1",
                says="HybViT outperforms JEM (K=20) and JEM++ (M=20) in FID.",
                needs=(generates("HybViT"), *SAME_EFFORT),
            )
        ),
        in_abstract(
            falls(
                FID, f"{HYBRID}: IGEBM", "HybViT", where="§5.1",
                says="HybViT outperforms the best other single hybrid model in FID.",
            )
        ),
        drops_at_most(
            ACCURACY, f"{OTHER}: WRN-28-10", "ViT", by=0.5, where="§5.1",
            says="The original ViT achieves an accuracy comparable to WRN-28-10's (0.5 points lower at most).",
            needs=classifies(f"{OTHER}: WRN-28-10", "ViT"),
        ),
        falls(
            FID, "HybViT", f"{GENERATIVE}: DDPM", where="§5.1",
            says="The quality of synthesis is worse than that of the UNet-based DDPM.",
            needs=generates("HybViT"),
        ),
    ),
)  # fmt: skip
