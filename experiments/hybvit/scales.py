"""The laptop scale: the paper's rows in minutes on two CPU cores, on real pixels that ship with scikit-learn."""

from typing import Any

from harness.data import catalogue
from harness.spec.augmentation import Augmentation, DigitsPolicy, NoPolicy
from harness.spec.data import Dataset
from harness.spec.energy_methods import EnergyBased
from harness.spec.evaluations import Evaluation, Generation, OutOfDistribution, Robustness
from harness.spec.methods import Classification, Denoising, Hybrid
from harness.spec.networks import ViT
from harness.spec.run import Run, RunConfig
from harness.spec.scale import Scale, Spread
from harness_papers.hybvit.small_energy import energy_based
from harness_papers.hybvit.small_networks import EPOCHS, convolutional
from harness_papers.hybvit.table12 import UNDER_L2, UNDER_LINF

STAND_INS: dict[str, Dataset] = {
    "cifar10": catalogue.DIGITS,
    "cifar100": catalogue.PAIRS,
    "tiny_imagenet": catalogue.MOSAICS,
    "stl10": catalogue.SCENES,
    "imagenet32": catalogue.TRIPLES,
    "celebahq128": catalogue.PHOTOS16,
    "celeba128": catalogue.PHOTOS14,
    "imagenet128_10": catalogue.PHOTOS16,
    "imagenet224_10": catalogue.PHOTOS14,
}
"""What runs train on; `docs/scales.md` says why each is a fair stand-in."""
OUTLIERS: dict[str, Dataset] = {
    "svhn": catalogue.TEMPLE,
    "cifar100": catalogue.OVERLAYS,
    "celeba32": catalogue.FLOWER,
}
PATCH_DIVISORS = {"celebahq128": 4, "celeba128": 4, "imagenet128_10": 4, "imagenet224_10": 7}
"""Patches are half as wide, or narrower where images would otherwise be cut into too many."""


def shrink(run: Run) -> Run:
    """Return the run on its stand-in data, with a smaller network and a shorter training."""
    config, data = run.config, STAND_INS[run.config.data.name]
    changes: dict[str, Any] = {
        "data": data,
        "batch_size": config.training.batch_size // 4,
        "precision": "fp32",
        **(transformer(config) if isinstance(config.network, ViT) else convolutional(config, data)),
    }
    if isinstance(config.method, EnergyBased):
        changes |= energy_based(config, data, soften(config.method.augmentation))
    if isinstance(config.method, Denoising | Hybrid):
        changes["timesteps"] = config.method.chain // 40
    if isinstance(config.method, Classification | Hybrid):
        changes["augmentation"] = soften(config.method.augmentation)
    elif isinstance(config.method, Denoising) and config.method.augmentation:
        changes["method"] = config.method.but(
            augmentation=soften(config.method.augmentation), timesteps=changes.pop("timesteps")
        )
    return run.with_config(**changes)


def transformer(config: RunConfig) -> dict[str, Any]:
    """Return what changes of a run with a ViT: an eighth as wide, a third as deep, 12 epochs for 500.

    A narrow network in a short training wants a larger learning rate and a shorter EMA (docs/scales.md).
    """
    assert isinstance(config.network, ViT)
    heads = config.network.heads // 4
    return {
        "dim": config.network.dim // 8,
        "depth": config.network.depth // 3,
        "heads": heads,
        "dim_head": config.network.dim_head and config.network.dim // 8 // heads,
        "patch_size": config.network.patch_size // PATCH_DIVISORS.get(config.data.name, 2),
        "epochs": round(config.training.epochs * EPOCHS),
        "warmup_epochs": config.training.value_of("warmup_epochs") * EPOCHS,
        "learning_rate": config.training.optimizer.learning_rate * 10,
        "ema_decay": 0.99,
    }


def soften(augmentation: Augmentation) -> Augmentation:
    """Return the augmentation for digits of 8 pixels in a short training.

    They are centred, mirrored ones are other signs, and a shift by a pixel is one by a stroke: no flips and crops.
    Mixing and erasing come a fifth as often.
    """
    return Augmentation(
        policy=augmentation.policy if augmentation.policy == NoPolicy() else DigitsPolicy(),
        erasing=augmentation.erasing / 5,
        mix=augmentation.mix / 5,
    )


def protocol(evaluation: Evaluation) -> Evaluation:
    """Return the protocol at this scale.

    A thousand samples, seen through a classifier of the same data; stand-ins for outliers; attacks on 100 images.
    """
    if isinstance(evaluation, Generation):
        return evaluation.but(samples=1000, features="classifier")
    if isinstance(evaluation, OutOfDistribution) and evaluation.outliers:
        return evaluation.but(outliers=OUTLIERS[evaluation.outliers.name])
    if isinstance(evaluation, Robustness):
        return evaluation.but(images=100)
    return evaluation


ROBUST = {metric.key: Spread(sd=2.3, df=4) for metric in (*UNDER_LINF, *UNDER_L2)}
ON_DIGITS = {
    "accuracy": Spread(sd=0.44, df=20),
    "inception_score": Spread(sd=0.16, df=26),
    "fid": Spread(sd=0.083, df=26),
    "bpd": Spread(sd=0.029, df=4),
    "ece": Spread(sd=0.75, df=4),
    "confidence_gap": Spread(sd=0.91, df=4),
    "auroc_svhn": Spread(sd=0.003, df=4),
    "auroc_interp": Spread(sd=0.012, df=4),
    "auroc_cifar100": Spread(sd=0.014, df=4),
    "auroc_celeba": Spread(sd=0.012, df=4),
    **ROBUST,
}
SEED_SPREAD = {
    **{("digits", key): spread for key, spread in ON_DIGITS.items()},
    ("pairs", "accuracy"): Spread(sd=3.15, df=2),
    ("mosaics", "accuracy"): Spread(sd=8.3, df=2),
    ("triples", "accuracy"): Spread(sd=2.3, df=2),
    ("scenes", "accuracy"): Spread(sd=1.9, df=4),
    ("scenes", "fid"): Spread(sd=0.076, df=4),
    ("scenes", "inception_score"): Spread(sd=0.059, df=4),
}
"""Measured with two and three seeds (docs/scales.md), in the metric's unit, or as a share of its value. Robustness has
one spread for all sizes, pooled."""

LAPTOP = Scale(
    "laptop",
    "Stand-in data at a small scale: values do not compare with the paper's, claims do.",
    comparable=False,
    shrink=shrink,
    protocol=protocol,
    spread=SEED_SPREAD,
)
