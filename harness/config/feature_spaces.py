"""Feature spaces: in what Fréchet distances, class scores and neighbourhoods of samples are measured."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, SerializeAsAny

from harness.config.dataset import Dataset
from harness.config.family import Family

INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""The published weights of the Inception network, by which FID and IS are defined."""
INCEPTION_FLOATS = 2048 + 1008
"""Features and logits of an image."""


class FeatureSpace(Family):
    """A network that maps images to features and class logits, written as its name where it has no settings.

    `implementation` names a function of the space, the digits of other weights (empty for its own) and a
    `harness.evaluation.base.Subject` that returns a `harness.evaluation.features.base.FeatureSpace`. `requires` names
    the checks of `doctor` that must hold, `pretrained` the weights that `data prepare` takes in.
    """

    role: ClassVar[str] = "feature space"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ()
    pretrained: ClassVar[str] = ""

    def title(self, data: Dataset, weights: str) -> str:
        """Return what the space is called beside a distance, such as `digits` in `FD(digits)`."""
        return self.kind

    def is_inception(self, weights: str) -> bool:
        """Tell whether distances are FID and scores IS, by definition of the published Inception network alone."""
        return False

    def floats(self, data: Dataset) -> int:
        """Return how many float32 numbers of features and logits are kept of a sample, as an estimate."""
        return 2 * data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return a pattern of the folders in the cache that hold features of `data`; none match an empty one."""
        return ""


class InceptionSpace(FeatureSpace):
    """The Inception network of FID and IS; with other weights than the published ones it is neither."""

    kind: Literal["inception"] = "inception"
    implementation: ClassVar[str] = "harness.evaluation.features.inception:inception_features"
    requires: ClassVar[tuple[str, ...]] = ("inception", "weights")
    pretrained: ClassVar[str] = "inception"

    def title(self, data: Dataset, weights: str) -> str:
        """Return the name of the network, with the digits of other weights."""
        return f"inception {weights}".strip()

    def is_inception(self, weights: str) -> bool:
        """Tell whether the weights are the published ones."""
        return not weights

    def floats(self, data: Dataset) -> int:
        """Return the features and logits of Inception, and the model's own logits."""
        return INCEPTION_FLOATS + data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return the pattern of folders of these weights on these data."""
        return f"inception-{weights}*-{data.name}-*"


class ClassifierSpace(FeatureSpace):
    """A small classifier trained on the same data: its distances compare with nothing outside of this harness."""

    kind: Literal["classifier"] = "classifier"
    implementation: ClassVar[str] = "harness.evaluation.features.classifier:classifier_features"

    def title(self, data: Dataset, weights: str) -> str:
        """Return the name of the data."""
        return data.name

    def floats(self, data: Dataset) -> int:
        """Return the model's own logits, beside which the features of the small network are few."""
        return data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return the pattern of folders of these data."""
        return f"{data.name}-*-r*"


AnyFeatureSpace = Annotated[SerializeAsAny[FeatureSpace], BeforeValidator(FeatureSpace.read)]


@dataclass(frozen=True)
class Embedding:
    """A feature space with the digits of its weights, and the split whose features samples are compared with."""

    space: FeatureSpace
    weights: str
    reference: str
