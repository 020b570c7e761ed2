"""Evaluations of classifiers: accuracy, calibration, and out-of-distribution detection."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, PositiveInt, SerializeAsAny

from harness.config.dataset import AnyDataset, Dataset
from harness.config.evaluations.base import Evaluation, Work, cost_of
from harness.config.family import Family
from harness.config.interfaces import CLASSIFIER, LOGITS

if TYPE_CHECKING:
    from harness.config.run import RunConfig


class Accuracy(Evaluation):
    """Top-1 accuracy of the EMA weights on un-augmented images."""

    kind: Literal["accuracy"] = "accuracy"
    implementation: ClassVar[str] = "harness.evaluation.accuracy:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.classifiers:ACCURACY"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the split."""
        return Work(config.data.examples(self.split), cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity, in percent."""
        return {"accuracy": "Acc"}


class Calibration(Evaluation):
    """Expected calibration error over equal-width bins of the maximum probability (Guo et al. 2017, Eq. 3)."""

    kind: Literal["calibration"] = "calibration"
    implementation: ClassVar[str] = "harness.evaluation.calibration:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.classifiers:CALIBRATION"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"
    bins: PositiveInt = 20

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the split."""
        return Work(config.data.examples(self.split), cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the labels of the error and of mean confidence minus accuracy, both in percent."""
        return {"expected_calibration_error": "ECE", "confidence_gap": "confidence - Acc"}


class Score(Family):
    """A score that is higher for in-distribution images, serialised as its name if it has no settings.

    `implementation` names a function `(score, logits)` with float64 logits `(n, classes)` that returns `(n,)`.
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
    """AUROC of a score for the run's own test images (positive) against outliers.

    Without `outliers`, the outliers are means of two test images (Interp in the paper).
    """

    kind: Literal["ood"] = "ood"
    implementation: ClassVar[str] = "harness.evaluation.ood:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.classifiers:OUT_OF_DISTRIBUTION"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    score: Annotated[SerializeAsAny[Score], BeforeValidator(Score.read)] = LogDensity()
    outliers: AnyDataset | None = None

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the test split and the outliers."""
        outliers = (self.outliers or config.data).examples("test")
        return Work(config.data.examples("test") + outliers, cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity, the name of the outliers."""
        return {"auroc": self.outliers.name if self.outliers else "Interp"}

    def reduced(self, items: int) -> Self:
        """Return a copy with at most `items` outliers."""
        return self.but(after=1.0, outliers=self.outliers.first(items) if self.outliers else None)
