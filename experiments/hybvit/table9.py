"""Table 9: the hyper-parameters, taken from the resolved configurations of the base runs on all datasets."""

from harness.registry.exhibit import ExpectedFailure, Table
from harness.registry.metrics import VALUE
from harness.registry.row import Row, Setting, Words
from harness_papers.hybvit import runs

GENERATIVE = (runs.GENVIT, runs.HYBVIT, runs.GENVIT_TINY, runs.HYBVIT_TINY, runs.GENVIT_STL10, runs.HYBVIT_STL10)
BASES = (runs.VIT, *GENERATIVE, runs.VIT_IMAGENET32, runs.GENVIT_CELEBAHQ)
COEFFICIENTS = (runs.HYBVIT.but(alpha=1), runs.HYBVIT.but(alpha=10), runs.HYBVIT)
VIT, DDPM = "Configurations of ViT", "Configurations of DDPM"


def setting(label: str, printed: str, field: str, *, section: str = "") -> Row:
    """Return the row of one hyper-parameter of the base runs."""
    return Row(label, None, (Words(printed),), section=section, setting=Setting(field, BASES))


TABLE = Table(
    number=9,
    title="Hyper-parameters of ViT, GenViT and HybViT",
    metrics=(VALUE,),
    rows=(
        setting("Learning rate", "0.1", "learning_rate"),
        setting("Batch Size", "128", "batch_size"),
        setting("Warmup Epochs", "10", "warmup_epochs"),
        Row(
            "Coefficient α in HybViT", None, (Words("1, 10, 100"),), setting=Setting("alpha", COEFFICIENTS)
        ),
        setting("Dimensions", "384", "dim", section=VIT),
        setting("Depth", "9", "depth", section=VIT),
        setting("Heads", "12", "heads", section=VIT),
        setting("Patch Size", "4, 8", "patch_size", section=VIT),
        Row("Number of Timesteps T", None, (Words("1000"),), section=DDPM, setting=Setting("timesteps", GENERATIVE)),
        Row("Loss Type", None, (Words("L1"),), section=DDPM, setting=Setting("loss", GENERATIVE)),
        Row("Noise Schedule", None, (Words("cosine"),), section=DDPM, setting=Setting("noise_schedule", GENERATIVE)),
    ),
    expected=(
        ExpectedFailure(
            "Learning rate", VALUE,
            "the paper states SGD with 0.1; the authors' code and log have AdamW with 0.001, which is used here",
        ),
    ),
)  # fmt: skip
