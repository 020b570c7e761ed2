"""Evaluation configurations: a protocol with all its settings, and the quantities that it measures."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SerializeAsAny, model_validator

from harness.spec.data import AnyDataset, Dataset
from harness.spec.errors import SpecError, unknown
from harness.spec.family import Family
from harness.spec.feature_spaces import AnyFeatureSpace, Embedding, InceptionSpace
from harness.spec.interfaces import CLASSIFIER, GENERATOR, LIKELIHOOD
from harness.spec.plugins import load_plugins
from harness.spec.samplers import Ancestral, AnySampler

PROTOCOL = "@"


def measure_of(label: str) -> str:
    """Return a label without its protocol: `FID` of `FID@10k train`. Values compare where these are equal."""
    return label.partition(PROTOCOL)[0]


class Evaluation(Family):
    """A protocol that turns a trained model into numbers.

    `needs` are the capabilities that it asks of the model; `implementation` names a function of the evaluation and a
    `harness.evaluation.base.Subject` that returns `Findings`. `after` is the share of the training after which the EMA
    weights are taken, in tenths; 1 is the end. `secondary` names quantities that are reported where no exhibit has a
    column for them, by the metrics that `harness.spec.metrics.secondary` knows of.
    """

    implementation: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    secondary: ClassVar[tuple[str, ...]] = ()

    after: float = Field(1.0, gt=0, le=1, multiple_of=0.1)

    @property
    def id(self) -> str:
        """The kind and the beginning of the digest: names the evaluation's files in a run directory."""
        return f"{self.kind}-{self.digest[:8]}"

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The datasets that it needs beside the run's own."""
        settings = (getattr(self, name) for name in type(self).model_fields)
        return tuple(setting for setting in settings if isinstance(setting, Dataset))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return what each measured quantity is called in print; honest about the feature space."""
        raise NotImplementedError

    @property
    def embedding(self) -> Embedding | None:
        """The feature space that it measures in, None where it needs none."""
        return None

    def disk_bytes(self, data: Dataset) -> int:
        """Return about how many bytes the arrays take that are kept beside the record."""
        return 0

    def miniature(self, items: int) -> Self:
        """Return the same protocol on so many items, with the shapes of the full one, to be tried out.

        Its numbers mean nothing. Protocols that go through a split are shortened by shortening the split.
        """
        return self.but(after=1.0)

    @classmethod
    def accepts(cls, settings: Iterable[str]) -> bool:
        """Tell whether the protocol has all of these settings."""
        return set(settings) <= set(cls.model_fields)


class Accuracy(Evaluation):
    """Top-1 accuracy of the EMA weights on un-augmented images."""

    kind: Literal["accuracy"] = "accuracy"
    implementation: ClassVar[str] = "harness.evaluation.accuracy:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity, in percent."""
        return {"accuracy": "Acc"}


class Generation(Evaluation):
    """Distances of samples from a reference split, and how sure a classifier is of them.

    `features` names the feature space: `inception` gives FID and IS; `classifier` is a small network trained on
    the same data, whose distances are called FD and CS and compare with nothing outside of this harness. So are those
    with other `weights` of Inception than the published ones, named by the first digits of their SHA-256.
    `neighbours` is the k of precision, recall, density and coverage.
    """

    kind: Literal["generation"] = "generation"
    implementation: ClassVar[str] = "harness.evaluation.generation:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({GENERATOR})
    secondary: ClassVar[tuple[str, ...]] = ("precision", "recall", "density", "coverage")

    samples: PositiveInt = 10_000
    sampler: AnySampler = Ancestral()
    features: AnyFeatureSpace = InceptionSpace()
    weights: str | None = Field(None, pattern="^[0-9a-f]{8}$")
    reference: str = "train"
    score_splits: PositiveInt = 10
    neighbours: PositiveInt = 5

    @model_validator(mode="after")
    def _enough_samples(self) -> Self:
        if self.samples <= self.neighbours:
            raise ValueError(f"{self.neighbours} neighbours need more than {self.samples} samples")
        return self

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return FID and IS with their protocol for Inception features, such as `FID@10k train`, else FD and CS.

        Another sampler than the full chain is named in all of them.
        """
        shares = {name: name for name in ("precision", "recall", "density", "coverage")}
        how, weights = self.sampler.label, self.weights or ""
        if self.features.is_inception(weights):
            count = f"{self.samples / 1000:g}k" if self.samples >= 1000 else f"{self.samples}"
            alone, against = (", ".join(filter(None, (part, how))) for part in (count, f"{count} {self.reference}"))
            names = {"frechet_distance": "FID", **shares}
            labels = {quantity: f"{name}{PROTOCOL}{against}" for quantity, name in names.items()}
            return labels | {"class_score": f"IS{PROTOCOL}{alone}"}
        space = self.features.title(data, weights)
        names = {"frechet_distance": "FD", "class_score": "CS", **shares}
        ending = f"{PROTOCOL}{how}" if how else ""
        return {quantity: f"{name}({space}){ending}" for quantity, name in names.items()}

    def disk_bytes(self, data: Dataset) -> int:
        """Return the size of the samples, of their features, and of the logits of both classifiers."""
        return self.samples * (data.dimensions + 4 * self.features.floats(data))

    @property
    def embedding(self) -> Embedding:
        """The feature space, and the split that samples are compared with."""
        return Embedding(self.features, self.weights or "", self.reference)

    def miniature(self, items: int) -> Self:
        """Return it with few samples."""
        return self.but(after=1.0, samples=min(self.samples, max(items, self.neighbours + 1)))


class Likelihood(Evaluation):
    """Bits per dimension by the full variational bound: every timestep, the decoder and the prior."""

    kind: Literal["likelihood"] = "likelihood"
    implementation: ClassVar[str] = "harness.evaluation.likelihood:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({LIKELIHOOD})

    split: str = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity."""
        return {"bits_per_dim": "bits/dim"}


class Calibration(Evaluation):
    """Expected calibration error over bins of equal width of the largest probability (Guo et al. 2017, Eq. 3)."""

    kind: Literal["calibration"] = "calibration"
    implementation: ClassVar[str] = "harness.evaluation.calibration:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"
    bins: PositiveInt = 20

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the labels of the error, and of the mean confidence minus the accuracy, both in percent."""
        return {"expected_calibration_error": "ECE", "confidence_gap": "confidence - Acc"}


class Score(Family):
    """A number that is larger for images of the training distribution, written as its name where it has no settings.

    `implementation` names a function of the score and logits `(n, classes)` float64 that returns `(n,)`.
    """

    bare: ClassVar[bool] = True
    implementation: ClassVar[str]


class LogDensity(Score):
    """The logsumexp of the class logits."""

    kind: Literal["log_density"] = "log_density"
    implementation: ClassVar[str] = "harness.evaluation.ood:log_density"


class MaxProbability(Score):
    """The largest class probability."""

    kind: Literal["max_probability"] = "max_probability"
    implementation: ClassVar[str] = "harness.evaluation.ood:max_probability"


class OutOfDistribution(Evaluation):
    """AUROC of a score that tells the run's own test images (positive) from outliers.

    Without `outliers` they are means of two test images, the paper's Interp.
    """

    kind: Literal["ood"] = "ood"
    implementation: ClassVar[str] = "harness.evaluation.ood:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    score: Annotated[SerializeAsAny[Score], BeforeValidator(Score.read)] = LogDensity()
    outliers: AnyDataset | None = None

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity: what the outliers are."""
        return {"auroc": self.outliers.name if self.outliers else "Interp"}

    def miniature(self, items: int) -> Self:
        """Return it with few outliers."""
        return self.but(after=1.0, outliers=self.outliers.first(items) if self.outliers else None)


class Norm(Family):
    """The norm of a perturbation, written as its name where it has no settings.

    `implementation` names a function of the norm and a radius in units of images in [-1, 1] that returns a
    `harness.evaluation.pgd.Ball`; `sign` stands in labels.
    """

    bare: ClassVar[bool] = True
    implementation: ClassVar[str]
    sign: ClassVar[str]


class LInf(Norm):
    """The largest difference of a pixel."""

    kind: Literal["linf"] = "linf"
    implementation: ClassVar[str] = "harness.evaluation.pgd:box"
    sign: ClassVar[str] = "L∞"


class L2(Norm):
    """The Euclidean length of the difference."""

    kind: Literal["l2"] = "l2"
    implementation: ClassVar[str] = "harness.evaluation.pgd:sphere"
    sign: ClassVar[str] = "L2"


class Robustness(Evaluation):
    """Accuracy under projected gradient descent (Madry et al. 2018), white-box, within balls of several sizes.

    Sizes and steps are in 1/255 of the range of pixels. Without a `step_size` it is 2.5 epsilon / steps. An image
    counts as robust when it is classified correctly at every step of every restart.
    """

    kind: Literal["robustness"] = "robustness"
    implementation: ClassVar[str] = "harness.evaluation.robustness:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    norm: Annotated[SerializeAsAny[Norm], BeforeValidator(Norm.read)]
    epsilons: tuple[PositiveFloat, ...]
    steps: PositiveInt = 50
    step_size: PositiveFloat | None = None
    restarts: PositiveInt = 1
    images: PositiveInt = 1000

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return one label for every size of the ball."""
        return {self.quantity(epsilon): f"{self.norm.sign} {epsilon:g}/255" for epsilon in self.epsilons}

    def miniature(self, items: int) -> Self:
        """Return it with few images, and two steps in one ball so small that nearly all of them stand."""
        ball = (min(self.epsilons) / 1000,)
        return self.but(after=1.0, epsilons=ball, steps=2, step_size=None, restarts=1, images=min(self.images, items))

    def quantity(self, epsilon: float) -> str:
        """Return the name of the accuracy under attacks of this size."""
        return f"robust_{self.norm.kind}_{epsilon:g}"


class Runtime(Evaluation):
    """Time of training and validation, measured over short windows after a warm-up and extrapolated.

    An epoch is its iterations at the speed of the fastest window plus one pass over the test split.
    """

    kind: Literal["runtime"] = "runtime"
    implementation: ClassVar[str] = "harness.evaluation.runtime:evaluate"

    warmup_steps: PositiveInt = 20
    timed_steps: PositiveInt = 10
    windows: PositiveInt = 12

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the labels of the times, of which all but the first step are extrapolated."""
        return {"minutes_per_epoch": "Min/Epoch", "runtime_hours": "Runtime", "gpu_hours": "device hours"}

    def miniature(self, items: int) -> Self:
        """Return it with three steps."""
        return self.but(after=1.0, warmup_steps=1, timed_steps=1, windows=2)


class Size(Evaluation):
    """The number of parameters of the built network, in millions."""

    kind: Literal["size"] = "size"
    implementation: ClassVar[str] = "harness.evaluation.size:evaluate"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity."""
        return {"parameters_m": "NoP"}


def reading_of(text: str) -> dict[str, str]:
    """Return the settings that a text such as `samples=50000` or `steps=100,restarts=5` changes.

    Raises `SpecError` when it is no such text, or no evaluation has these settings.
    """
    settings: dict[str, str] = {}
    load_plugins()
    allowed = set().union(*(evaluation.model_fields for evaluation in Evaluation.kinds.values())) - {"kind"}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise SpecError(f"'{text}' is no protocol: write settings as in samples=50000")
        if name not in allowed:
            raise unknown("setting of an evaluation", name, allowed)
        settings[name] = value
    if not any(issubclass(kind, Evaluation) and kind.accepts(settings) for kind in Evaluation.kinds.values()):
        raise SpecError(f"'{text}' is no protocol: no evaluation has {' and '.join(settings)} together")
    return settings
