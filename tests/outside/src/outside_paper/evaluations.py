"""The evaluations and metrics of the paper."""

from typing import ClassVar, Literal

from pydantic import PositiveInt

from harness.config.dataset import Dataset
from harness.config.evaluations import Evaluation, Score
from harness.config.feature_spaces import FeatureSpace
from harness.config.interfaces import CLASSIFIER
from harness.registry.metrics import Metric, secondary
from outside_paper.methods import LANGUAGE_MODEL, REGRESSOR


class Brier(Evaluation):
    """The Brier score, summed over the classes, and the log loss."""

    kind: Literal["outside.brier"] = "outside.brier"
    implementation: ClassVar[str] = "outside_paper.nn.evaluations:brier"
    recomputations: ClassVar[str] = "outside_paper.rechecks:BRIER"
    needs: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})
    secondary: ClassVar[tuple[str, ...]] = ("log_loss",)

    split: str = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the labels of both quantities."""
        return {"brier": "Brier", "log_loss": "NLL"}


class Errors(Evaluation):
    """The root mean squared error of predicted numbers."""

    kind: Literal["outside.errors"] = "outside.errors"
    implementation: ClassVar[str] = "outside_paper.nn.evaluations:errors"
    needs: ClassVar[frozenset[str]] = frozenset({REGRESSOR})

    split: str = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the quantity."""
        return {"rmse": "RMSE"}

    def disk_bytes(self, data: Dataset) -> int:
        """Return the size of predictions and targets."""
        return 8 * data.examples(self.split)


class TokenBits(Evaluation):
    """Bits per token, given the previous tokens."""

    kind: Literal["outside.token_bits"] = "outside.token_bits"
    implementation: ClassVar[str] = "outside_paper.nn.evaluations:token_bits"
    needs: ClassVar[frozenset[str]] = frozenset({LANGUAGE_MODEL})

    split: str = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the quantity."""
        return {"bits_per_token": "bits/token"}


class Margin(Score):
    """The difference of the two largest logits."""

    kind: Literal["outside.margin"] = "outside.margin"
    implementation: ClassVar[str] = "outside_paper.nn.evaluations:margin"


class Projection(FeatureSpace):
    """A fixed random projection of the pixels, a linear feature space."""

    kind: Literal["outside.projection"] = "outside.projection"
    implementation: ClassVar[str] = "outside_paper.nn.features:projection"

    features: PositiveInt = 16

    def title(self, data: Dataset, weights: str) -> str:
        """Return the number of features."""
        return f"{self.features} random features"

    def floats(self, data: Dataset) -> int:
        """Return the number of features plus logits."""
        return self.features + data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return the pattern of cache folders for these data."""
        return f"outside-projection-{self.features}-{data.name}-*"


BRIER = Metric("outside.brier", "Brier", "brier", better="lower", decimals=3)
LOG_LOSS = secondary(Metric("outside.log_loss", "NLL", "log_loss", better="lower", decimals=3))
RMSE = Metric("outside.rmse", "RMSE", "rmse", better="lower", decimals=3)
TOKEN_BITS = Metric("outside.token_bits", "bits/token", "bits_per_token", better="lower", decimals=3)
