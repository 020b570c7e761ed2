"""Table 13: run-time on ImageNet 32x32, as printed in words, with the equivalent GPU-hours."""

from harness.registry.claims import exceed
from harness.registry.exhibit import Table
from harness.registry.metrics import PARAMETERS, RUNTIME_TEXT
from harness.registry.row import Row, Words
from harness_papers.hybvit.runs import GENVIT_IMAGENET32, HYBVIT_IMAGENET32, VIT_IMAGENET32

TABLE = Table(
    number=13,
    title="Run-time comparison on ImageNet 32x32. All experiments are performed on a single GPU for 100 epochs",
    metrics=(PARAMETERS, RUNTIME_TEXT),
    rows=(
        Row("ViT", VIT_IMAGENET32, reported=(11.6, Words("3 days", 72))),
        Row(
            "GenViT", GENVIT_IMAGENET32, reported=(11.6, Words("2 days", 48)),
            note="faster than ViT here, slower in Table 8: without augmentation, data loading may have been faster",
        ),
        Row("HybViT", HYBVIT_IMAGENET32, reported=(11.6, Words("5 days", 120))),
        Row("IGEBM", None, reported=(None, Words("32 GPUs for 5 days", 3840)), source="cited"),
        Row("KL-EBM", None, reported=(None, Words("8 GPUs for 3 days", 576)), source="cited"),
    ),
    claims=(
        exceed(
            RUNTIME_TEXT, "IGEBM", "KL-EBM", over="HybViT", where="Appendix C.6",
            says="The methods need a single GPU and are much faster than IGEBM and KL-EBM (in GPU-hours).",
        ),
    ),
)  # fmt: skip
