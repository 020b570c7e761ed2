"""Evaluations of classifiers: accuracy, calibration, and scores that tell outliers."""

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
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the split."""
        return Work(config.data.examples(self.split), cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity, in percent."""
        return {"accuracy": "Acc"}


class Calibration(Evaluation):
    """Expected calibration error over bins of equal width of the largest probability (Guo et al. 2017, Eq. 3)."""

    kind: Literal["calibration"] = "calibration"
    implementation: ClassVar[str] = "harness.evaluation.calibration:evaluate"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})

    split: str = "test"
    bins: PositiveInt = 20

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the split."""
        return Work(config.data.examples(self.split), cost_of(config, LOGITS))

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

    def work(self, config: "RunConfig") -> Work:
        """Return a pass over the test split and the outliers."""
        outliers = (self.outliers or config.data).examples("test")
        return Work(config.data.examples("test") + outliers, cost_of(config, LOGITS))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity: what the outliers are."""
        return {"auroc": self.outliers.name if self.outliers else "Interp"}

    def reduced(self, items: int) -> Self:
        """Return it with few outliers."""
        return self.but(after=1.0, outliers=self.outliers.first(items) if self.outliers else None)
