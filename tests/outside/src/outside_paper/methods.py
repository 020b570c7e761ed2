"""The training methods of the paper: mixup classification, regression, and next-token prediction."""

from typing import ClassVar, Literal

from pydantic import NonNegativeFloat

from harness.config.dataset import Dataset
from harness.config.interfaces import CLASSIFIER, FORWARD, LOGITS, Capability
from harness.config.methods import VALIDATION_ACCURACY, Method, Validation
from harness.config.training import Training
from harness.errors import SpecError

REGRESSOR = Capability("outside.regressor", "outside_paper.nn.protocols:Regressor")
LANGUAGE_MODEL = Capability("outside.language_model", "outside_paper.nn.protocols:LanguageModel")


class Mixup(Method):
    """Cross-entropy on convex combinations of two rows and their classes; `alpha=0` disables mixing."""

    kind: Literal["outside.mixup"] = "outside.mixup"
    implementation: ClassVar[str] = "outside_paper.nn.mixup:Mixup"
    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY

    alpha: NonNegativeFloat = 0.2


class Regression(Method):
    """Squared-error regression of a number."""

    kind: Literal["outside.regression"] = "outside.regression"
    implementation: ClassVar[str] = "outside_paper.nn.regression:Regression"
    capabilities: ClassVar[frozenset[str]] = frozenset({REGRESSOR})
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})
    validation: ClassVar[Validation | None] = Validation("mse", "lower", "outside_paper.nn.regression:squared_errors")

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` if the dataset has no number to predict."""
        super().check(data, training)
        if not data.targets or data.num_classes:
            raise SpecError(f"method '{self.kind}' predicts numbers: dataset '{data.name}' has none")


class NextToken(Method):
    """Cross-entropy of every token, given the previous tokens."""

    kind: Literal["outside.next_token"] = "outside.next_token"
    implementation: ClassVar[str] = "outside_paper.nn.next_token:NextToken"
    capabilities: ClassVar[frozenset[str]] = frozenset({LANGUAGE_MODEL})
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})
    validation: ClassVar[Validation | None] = Validation("nll", "lower", "outside_paper.nn.next_token:mean_losses")
