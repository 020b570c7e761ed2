"""The result figures. Figures 1 to 3 are diagrams of the method and need no run."""

from harness.config.run import Run
from harness.data.catalogue import IMAGENET128, IMAGENET224
from harness.registry.claims import Claim, Contrast, Term, bounded, close, exceed, falls, mean_difference, ratio
from harness.registry.exhibit import Figure
from harness.registry.figures import (
    AccuracyUnderAttack,
    ClassExtremes,
    ClassGrids,
    DensityHistograms,
    LearningCurves,
    ReliabilityDiagrams,
    SampleGrids,
    SamplesAtDistances,
)
from harness.registry.metrics import ACCURACY, CONFIDENCE_GAP, ECE, FID, robustness
from harness.registry.presuppositions import at_most
from harness.registry.row import Row, Source
from harness_papers.hybvit import baselines, runs
from harness_papers.hybvit.energy_baselines import JEM
from harness_papers.hybvit.log import EMA_ACCURACY
from harness_papers.hybvit.presuppositions import breaks, classifies, over_confident, trained_early
from harness_papers.hybvit.table12 import TUNED_PGD, UNDER_L2, UNDER_LINF

CLASSES = ("Plane", "Car", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck")
EPOCHS = 500
IMAGENET32_EPOCHS = 100
CALIBRATION = (ACCURACY, ECE, CONFIDENCE_GAP)
ATTACKS = (ACCURACY, *UNDER_LINF, *UNDER_L2)


def panel(label: str, run: Run, metrics: int, *, source: Source = "own", note: str = "") -> Row:
    """Return a figure row, without reported values."""
    return Row(label, run, (None,) * metrics, source=source, note=note)


def epoch_rows(section: str, run: Run, epochs: int, logged: dict[float, float]) -> tuple[Row, ...]:
    """Return rows for a run after each tenth of its training, with the accuracy that the authors logged."""
    return tuple(
        Row(
            f"epoch {epochs * tenths // 10}",
            run,
            (logged.get(epochs * tenths // 10), None),
            section=section,
            protocol={"after": tenths / 10},
        )
        for tenths in range(1, 11)
    )


FIGURE4 = Figure(
    number=4,
    title="GenViT Generated samples of CIFAR10 and CelebA 128",
    metrics=(FID,),
    rows=(panel("CIFAR10", runs.GENVIT, 1), panel("CelebA 128", runs.GENVIT_CELEBAHQ, 1)),
    plot=SampleGrids(),
)
FIGURE5 = Figure(
    number=5,
    title="HybViT Generated samples of CIFAR10 and STL10",
    metrics=(FID,),
    rows=(panel("CIFAR10", runs.HYBVIT, 1), panel("STL10", runs.HYBVIT_STL10_LONG, 1)),
    plot=SampleGrids(),
)
FIGURE6 = Figure(
    number=6,
    title="Calibration results on CIFAR10",
    metrics=CALIBRATION,
    rows=(
        panel("WRN", baselines.WRN, 3, source="uncertain"),
        panel("ViT", runs.VIT, 3),
        panel("HybViT", runs.HYBVIT, 3),
    ),
    plot=ReliabilityDiagrams(),
    claims=(
        bounded(
            ECE, "ViT", high=10, where="§5.2.1",
            says="ViT looks well calibrated when trained with strong augmentation (an error of 10 % at most).",
            needs=classifies("ViT"),
        ),
        bounded(
            ECE, "HybViT", high=10, where="§5.2.1",
            says="HybViT looks well calibrated when trained with strong augmentation (an error of 10 % at most).",
            needs=classifies("HybViT"),
        ),
        exceed(
            ECE, "ViT", "HybViT", over="WRN", where="§5.2.1",
            says="ViT and HybViT have a worse calibration error than WRN.",
        ),
        Claim(
            "ViT and HybViT are less confident than WRN.", "§5.2.1",
            tuple(
                Contrast((Term(1, "WRN", CONFIDENCE_GAP), Term(-1, row, CONFIDENCE_GAP)), low=0)
                for row in ("ViT", "HybViT")
            ),
        ),
    ),
)  # fmt: skip
FIGURE7 = Figure(
    number=7,
    title="Adversarial robustness under the PGD attacks",
    metrics=ATTACKS,
    rows=(
        panel("ViT", runs.VIT, len(ATTACKS)),
        panel("HybViT", runs.HYBVIT, len(ATTACKS)),
        panel("WRN", baselines.WRN, len(ATTACKS), source="uncertain"),
    ),
    readings=TUNED_PGD,
    plot=AccuracyUnderAttack(),
    claims=(
        *(
            close(
                metric, "ViT", "HybViT", within=10, where="§5.2.3",
                says=f"ViT and HybViT are similarly robust (within 10 points under {metric.label}).",
                needs=at_most(metric, 50, "ViT", "HybViT"),
            )
            for metric in (robustness("linf", 4), robustness("l2", 100))
        ),
        *(
            Claim(
                f"ViT and HybViT outperform WRN-based classifiers under {norm} (mean over ε).", "§5.2.3",
                tuple(Contrast(mean_difference(metrics, row, "WRN"), low=0) for row in ("ViT", "HybViT")),
                needs=breaks(metrics, "ViT", "HybViT", "WRN"),
            )
            for norm, metrics in (("L∞", UNDER_LINF), ("L2", UNDER_L2))
        ),
    ),
)  # fmt: skip
FIGURE8 = Figure(
    number=8,
    title="The evolution of HybViT's classification accuracy, FID as a function of training epochs",
    metrics=(ACCURACY, FID),
    rows=(
        *epoch_rows("CIFAR10", runs.HYBVIT, EPOCHS, EMA_ACCURACY),
        *epoch_rows("ImageNet 32x32", runs.HYBVIT_IMAGENET32, IMAGENET32_EPOCHS, {}),
    ),
    plot=LearningCurves(reported=(("CIFAR10", tuple((at / EPOCHS, value) for at, value in EMA_ACCURACY.items())),)),
    claims=tuple(
        ratio(
            FID, f"{section}: {early}", f"{section}: {late}", high=2, where="Appendix C.1",
            says=f"The improvement of generation after a tenth of the epochs is relatively small (FID falls by less "
            f"than a half; {section}).",
            needs=trained_early(f"{section}: {late}"),
        )
        for section, early, late in (
            ("CIFAR10", "epoch 50", "epoch 500"), ("ImageNet 32x32", "epoch 10", "epoch 100")
        )
    ),
)  # fmt: skip
FIGURE9 = Figure(
    number=9,
    title="The comparison between samples with FID=40 and FID=20",
    metrics=(FID,),
    rows=tuple(
        Row(f"epoch {EPOCHS * tenths // 10}", runs.GENVIT, (None,), protocol={"after": tenths / 10})
        for tenths in (1, 2, 3, 4, 5, 10)
    ),
    plot=SamplesAtDistances(ratio=2),
)
FIGURE10 = Figure(
    number=10,
    title="HybViT generated class-conditional (best and worst) samples. Each row corresponds to 1 class",
    metrics=(FID,),
    rows=(panel("HybViT", runs.HYBVIT, 1),),
    plot=ClassExtremes(classes=CLASSES),
)
FIGURE11 = Figure(
    number=11,
    title="Histograms of log p(x) of samples arranged by class for CIFAR10",
    metrics=(FID,),
    rows=(panel("HybViT", runs.HYBVIT, 1),),
    plot=DensityHistograms(classes=CLASSES),
)
FIGURE12 = Figure(
    number=12,
    title="Calibration results on CIFAR10. The smaller ECE is, the better",
    metrics=CALIBRATION,
    rows=(
        panel("WRN (w/o BN)", baselines.WRN_WITHOUT_NORM, 3, source="uncertain"),
        panel("JEM", JEM, 3, source="uncertain"),
        panel("ViT", runs.VIT, 3),
        panel("HybViT", runs.HYBVIT, 3),
        panel("ViT w/ Weak Aug", runs.VIT_WEAK, 3),
        panel("HybViT w/ Weak Aug", runs.HYBVIT_WEAK, 3),
    ),
    plot=ReliabilityDiagrams(),
    claims=(
        falls(
            ECE, "ViT w/ Weak Aug", "ViT", where="Appendix C.5",
            says="Strong augmentation better calibrates the predictions of ViT.",
            needs=over_confident("ViT w/ Weak Aug"),
        ),
        falls(
            ECE, "HybViT w/ Weak Aug", "HybViT", where="Appendix C.5",
            says="Strong augmentation better calibrates the predictions of HybViT.",
            needs=over_confident("HybViT w/ Weak Aug"),
        ),
        bounded(
            CONFIDENCE_GAP, "ViT", high=0, where="Appendix C.5",
            says="Strong augmentation makes ViT under-confident.",
            needs=over_confident("ViT w/ Weak Aug"),
        ),
        bounded(
            CONFIDENCE_GAP, "HybViT", high=0, where="Appendix C.5",
            says="Strong augmentation makes HybViT under-confident.",
            needs=over_confident("HybViT w/ Weak Aug"),
        ),
    ),
)  # fmt: skip
FIGURE13 = Figure(
    number=13,
    title="Additional generated images on benchmark datasets",
    metrics=(FID,),
    rows=(
        panel("CIFAR10", runs.GENVIT, 1, note="the paper does not name the model of these panels; here it is GenViT"),
        panel("CIFAR100", runs.GENVIT_CIFAR100, 1),
        panel("ImageNet 32x32", runs.GENVIT_IMAGENET32, 1),
        panel("TinyImagenet", runs.GENVIT_TINY, 1),
        panel("STL10", runs.GENVIT_STL10_LONG, 1),
        panel("CelebA 128", runs.GENVIT_CELEBAHQ, 1),
    ),
    plot=SampleGrids(side=8),
)
FIGURE14 = Figure(
    number=14,
    title="Generated Images",
    metrics=(FID,),
    rows=(
        panel(
            "ImageNet 128x128",
            runs.GENVIT.but(data=IMAGENET128, patch_size=8, dim=512, dim_head=42).called("genvit imagenet128"),
            1,
            note="preliminary in the paper, without a number of epochs; 500 assumed here",
        ),
        panel(
            "ImageNet 224x224",
            runs.GENVIT.but(data=IMAGENET224, patch_size=14, dim=1024, dim_head=85).called("genvit imagenet224"),
            1,
        ),
    ),
    plot=SampleGrids(side=8),
)
CLASS_FIGURES = tuple(
    Figure(
        number=15 + index,
        title=f"HybViT generated class-conditional samples of {name}",
        metrics=(FID,),
        rows=(panel("HybViT", runs.HYBVIT, 1),),
        plot=ClassGrids(index=index, name=name),
    )
    for index, name in enumerate(CLASSES)
)

FIGURES = (
    FIGURE4, FIGURE5, FIGURE6, FIGURE7, FIGURE8, FIGURE9, FIGURE10, FIGURE11, FIGURE12, FIGURE13, *CLASS_FIGURES,
)  # fmt: skip
