"""Table 6: the ablation on CIFAR-10."""

from harness.registry.claims import close, drops_at_most, falls, ratio, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, INCEPTION_SCORE
from harness.registry.row import Row
from harness_papers.hybvit.runs import GENVIT, HYBVIT

TABLE = Table(
    number=6,
    title="Ablation study on CIFAR-10",
    metrics=(ACCURACY, INCEPTION_SCORE, FID),
    best=(ACCURACY, INCEPTION_SCORE, FID),
    rows=(
        Row("HybViT", HYBVIT, reported=(95.9, 7.68, 26.4)),
        Row("HybViT(α=1)", HYBVIT.but(alpha=1), reported=(96.6, 4.74, 68.9)),
        Row("HybViT(α=10)", HYBVIT.but(alpha=10), reported=(97.0, 6.40, 38.2)),
        Row("HybViT(head=6)", HYBVIT.but(heads=6), reported=(96.0, 7.51, 30.0)),
        Row("HybViT(head=8)", HYBVIT.but(heads=8), reported=(95.9, 7.74, 28.0)),
        Row("HybViT(head=16)", HYBVIT.but(heads=16), reported=(95.4, 7.79, 27.1)),
        Row("HybViT(depth=6)", HYBVIT.but(depth=6), reported=(94.7, 7.39, 30.6)),
        Row("HybViT(depth=12)", HYBVIT.but(depth=12), reported=(96.6, 7.78, 24.3)),
        Row("HybViT(dim=192)", HYBVIT.but(dim=192), reported=(94.1, 7.06, 35.0)),
        Row("HybViT(dim=768)", HYBVIT.but(dim=768), reported=(96.4, 8.04, 19.9)),
        Row("GenViT(dim=192)", GENVIT.but(dim=192), reported=(None, 7.26, 32.5)),
        Row("GenViT(dim=384)", GENVIT, reported=(None, 8.17, 20.2)),
        Row("GenViT(dim=768)", GENVIT.but(dim=768), reported=(None, 8.32, 18.7)),
    ),
    claims=(
        falls(
            FID, "HybViT(α=1)", "HybViT", where="§5.3",
            says="A larger α is preferred for high-quality generation (1 against 100).",
        ),
        falls(
            FID, "HybViT(α=1)", "HybViT(α=10)", "HybViT", where="§5.3",
            says="A larger α is preferred for high-quality generation (each step of ten).",
        ),
        drops_at_most(
            ACCURACY, "HybViT(α=1)", "HybViT", by=2, where="§5.3",
            says="A larger α costs only a small drop in accuracy (2 points at most).",
        ),
        close(
            ACCURACY, "HybViT", "HybViT(head=6)", "HybViT(head=8)", "HybViT(head=16)", within=2, where="§5.3",
            says="The number of heads has a small effect on accuracy (2 points at most).",
        ),
        *(
            ratio(
                FID, f"HybViT(head={heads})", "HybViT", low=0.75, high=1.25, where="§5.3",
                says=f"The number of heads has a small effect on generation ({heads} against 12: within a quarter).",
            )
            for heads in (6, 8, 16)
        ),
        rises(
            ACCURACY, "HybViT(depth=6)", "HybViT(depth=12)", where="§5.3",
            says="More depth improves accuracy.",
        ),
        falls(
            FID, "HybViT(depth=6)", "HybViT(depth=12)", where="§5.3",
            says="More depth improves generation.",
        ),
        rises(
            ACCURACY, "HybViT(dim=192)", "HybViT(dim=768)", where="§5.3",
            says="A larger hidden dimension improves accuracy.",
        ),
        falls(
            FID, "HybViT(dim=192)", "HybViT(dim=768)", where="§5.3",
            says="A larger hidden dimension improves generation.",
        ),
        falls(
            FID, "GenViT(dim=192)", "GenViT(dim=768)", where="§5.3",
            says="A larger hidden dimension improves generation without classification too.",
        ),
    ),
)  # fmt: skip
