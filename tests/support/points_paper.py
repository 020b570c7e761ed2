"""A paper about points of the plane: an array dataset with a validation split, and custom kinds otherwise."""

from typing import ClassVar, Literal

from harness.config.dataset import Arrays
from harness.config.evaluations import Accuracy, Generation, Likelihood, OutOfDistribution
from harness.config.feature_spaces import FeatureSpace
from harness.config.interfaces import CLASSIFIER, GENERATOR, LIKELIHOOD, LOGITS
from harness.config.methods import VALIDATION_ACCURACY, Method, Validation
from harness.config.networks import Network
from harness.config.run import Run, RunConfig
from harness.config.training import Training
from harness.data.registry import Source, register
from harness.registry.claims import close, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, BPD, FID
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.registry.scale import Scale

POINTS = register(
    Arrays(
        name="points",
        fields={"x": ((2,), "float32"), "y": ((), "int32")},
        splits={"train": 240, "validation": 80, "test": 220},
        num_classes=3,
    ),
    Source("three clouds of points", "points_nn:read_points"),
)
FAR = register(
    Arrays(name="far", fields={"x": ((2,), "float32")}, splits={"test": 50}),
    Source("points far away", "points_nn:read_far"),
)


class Perceptron(Network):
    kind: Literal["points.perceptron"] = "points.perceptron"
    implementation: ClassVar[str] = "points_nn:perceptron"
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS})

    width: int = 16


class Cloud(Method):
    """Cross-entropy, plus the likelihood of a single normal distribution of all points."""

    kind: Literal["points.cloud"] = "points.cloud"
    implementation: ClassVar[str] = "points_nn:CloudMethod"
    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER, GENERATOR, LIKELIHOOD})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY

    def sample_flops(self, network, data):
        return 1.0


class Plane(FeatureSpace):
    """The plane itself: features are coordinates."""

    kind: Literal["points.plane"] = "points.plane"
    implementation: ClassVar[str] = "points_nn:plane"


CLOUD = Run(
    "cloud",
    RunConfig(
        data=POINTS,
        network=Perceptron(),
        method=Cloud(),
        training=Training(
            epochs=3, batch_size=40, passes_per_epoch=2, warmup_epochs=1, learning_rate=1e-2, ema_decay=None
        ),
    ),
)
GENERATION = Generation(samples=150, features=Plane(), score_splits=3)
EVALUATIONS = {ACCURACY: Accuracy(), FID: GENERATION, BPD: Likelihood()}

WIDTHS = (1, 2, 16, 32)
BY_WIDTH = Table(
    number=2,
    title="Points by width",
    metrics=(ACCURACY, FID),
    rows=tuple(Row(f"width={width}", CLOUD.but(width=width), (90.0, 1.0)) for width in WIDTHS),
    claims=(
        rises(ACCURACY, "width=1", "width=16", says="Wide networks classify better than narrow ones.", where="§1"),
        rises(ACCURACY, "width=2", "width=16", says="Two features are not enough.", where="§1"),
        close(ACCURACY, "width=16", "width=32", within=5, says="Sixteen features are enough.", where="§2"),
        rises(FID, "width=16", "width=32", says="Samples do not depend on the classifier.", where="§3"),
    ),
)

PAPER = Paper(
    name="points",
    title="Points",
    url="https://example.org",
    tables=(
        Table(number=1, title="Points", metrics=(ACCURACY, FID, BPD), rows=(Row("Cloud", CLOUD, (90.0, 1.0, 2.0)),)),
    ),
    optional=(BY_WIDTH,),
    protocol=lambda metric, run: EVALUATIONS[metric],
    scales=(Scale("laptop", "As it is.", comparable=False),),
)
OUTLIERS = OutOfDistribution(outliers=FAR)
