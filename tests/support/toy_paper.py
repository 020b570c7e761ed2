"""A paper with runs of a second: a hybrid and a generative row on the digits, and one cited row."""

from harness.config.augmentation import Augmentation
from harness.config.dataset import Images
from harness.config.evaluations import Accuracy, Generation, Likelihood
from harness.config.methods import Classification, Denoising, Hybrid
from harness.config.networks import UNet, ViT, WideResNet
from harness.config.optimisation import SGD, Adam, StepDecay
from harness.config.processes import GaussianProcess
from harness.config.run import Run, RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.registry.claims import rises
from harness.registry.exhibit import Figure, Table
from harness.registry.figures import SampleGrids
from harness.registry.metrics import ACCURACY, BPD, FID, INCEPTION_SCORE
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.registry.tolerances import Allowance, Tolerance

PROCESS = GaussianProcess(timesteps=4)
TRAINING = Training(epochs=2, batch_size=64, warmup_epochs=1, ema_decay=0.9)
NETWORK = ViT(dim=8, depth=1, heads=2, patch_size=4)
STRONG = Augmentation(crop_padding=1, policy="digits", erasing=0.2, mix=0.5)
HYBRID = Run(
    "hybrid",
    RunConfig(
        data=DIGITS,
        network=NETWORK,
        method=Hybrid(alpha=10, process=PROCESS, augmentation=STRONG, label_smoothing=0.1),
        training=TRAINING,
    ),
)
DENOISING = Run(
    "denoising",
    RunConfig(data=DIGITS, network=NETWORK, method=Denoising(process=PROCESS), training=TRAINING),
)
CLASSIFIER = RunConfig(
    data=DIGITS,
    network=WideResNet(depth=10, widen_factor=1),
    method=Classification(augmentation=Augmentation(crop_padding=1)),
    training=Training(
        epochs=2, batch_size=60, passes_per_epoch=1, clip_norm=None, ema_decay=None,
        optimizer=SGD(learning_rate=0.05, nesterov=True, weight_decay=5e-4),
        schedule=StepDecay(milestones=(1,), decay=0.2),
    ),
)  # fmt: skip
"""A convolutional network with BatchNorm, whose last weights are evaluated."""
DENOISER = RunConfig(
    data=DIGITS,
    network=UNet(base_channels=8, multipliers=(1, 2), blocks=1, attention=(4,), groups=4),
    method=Denoising(process=PROCESS, augmentation=Augmentation(crop_padding=1)),
    training=Training(
        epochs=2, batch_size=60, passes_per_epoch=1, ema_decay=0.9,
        optimizer=Adam(learning_rate=2e-4), schedule=StepDecay(warmup_iterations=10),
    ),
)  # fmt: skip
"""A convolutional network with dropout."""
FEW = Images(name="few", image_size=8, channels=1, num_classes=10, train_examples=32, test_examples=16)
"""A few digits (see support/few.py), because Inception is slow."""
ON_FEW = DENOISING.but(data=FEW, batch_size=16).called("few")
LONG = HYBRID.but(epochs=5)
BROKEN = HYBRID.but(learning_rate=1e30)

GENERATION = Generation(samples=150, features="classifier", score_splits=3)
ON_FEW_GENERATION = Generation(samples=16, score_splits=2, neighbours=3)
PROTOCOLS = {ACCURACY: Accuracy(), FID: GENERATION, INCEPTION_SCORE: GENERATION, BPD: Likelihood()}

TABLES = (
    Table(
        number=101,
        title="Two rows & a citation",
        metrics=(ACCURACY, INCEPTION_SCORE, FID),
        rows=(
            Row("Hybrid_α=10 (100%)", HYBRID, reported=(20.0, 2.0, 50.0)),
            Row("Denoising", DENOISING, reported=(None, 2.0, 50.0), note="a note & more"),
            Row("Cited", None, reported=(90.0, None, 3.0), source="cited"),
        ),
        claims=(rises(FID, "Hybrid_α=10 (100%)", "Denoising", says="Denoising alone is worse by 100%.", where="§1"),),
    ),
    Table(
        number=102,
        title="A longer run, at its end and half-way",
        metrics=(ACCURACY, FID, BPD),
        rows=(
            Row("Long", LONG, reported=(50.0, 10.0, 5.0), section="Part_1"),
            Row("Long", LONG, reported=(40.0, 20.0, 6.0), section="Part 2", protocol={"after": 0.5}),
        ),
    ),
    Table(
        number=103,
        title="One run diverges",
        metrics=(ACCURACY,),
        rows=(Row("Broken", BROKEN, reported=(50.0,)), Row("Whole", HYBRID, reported=(50.0,))),
    ),
)

INCEPTION = Table(
    number=104,
    title="FID and IS",
    metrics=(INCEPTION_SCORE, FID, BPD),
    rows=(Row("Few", ON_FEW, reported=(2.0, 50.0, 5.0)),),
)

FIGURE = Figure(
    number=1,
    title="Samples of both",
    metrics=(FID,),
    rows=(Row("Hybrid", HYBRID, (None,)), Row("Denoising", DENOISING, (None,)), Row("Elsewhere", None, (None,))),
    plot=SampleGrids(side=4),
)


def protocol(metric, run):
    """Use Inception's features for a few digits, a classifier's for all of them."""
    if metric in (FID, INCEPTION_SCORE) and run.config.data == FEW:
        return ON_FEW_GENERATION
    return PROTOCOLS[metric]


SPREAD = {("digits", "fid", f"{method} vit"): Spread(5.0, 10) for method in ("denoising", "hybrid")}
PAPER = Paper(
    name="toy",
    title="A toy",
    url="https://example.org",
    tables=TABLES,
    figures=(FIGURE,),
    optional=(INCEPTION,),
    protocol=protocol,
    scales=(Scale("laptop", "A toy scale.", comparable=False, spread=SPREAD),),
    tolerances={
        "accuracy": Tolerance((Allowance("a toy", absolute=100.0),)),
        "fid": Tolerance((Allowance("a toy", relative=0.0),)),
    },
)
