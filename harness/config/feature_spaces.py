"""Feature spaces for Fréchet distances, class scores and nearest-neighbour metrics of samples."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, SerializeAsAny

from harness.config.dataset import Dataset
from harness.config.family import Family

INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""SHA-256 of the published Inception weights, which define FID and IS."""
INCEPTION_FLOATS = 2048 + 1008
"""The number of features and logits per image."""


class FeatureSpace(Family):
    """A network that maps images to features and class logits, serialised as its name if it has no settings.

    `implementation` names a function `(space, weights, subject)` that returns a
    `harness.evaluation.features.base.FeatureSpace`: `weights` is the hash prefix of other weights, empty for the
    space's own, and `subject` a `harness.evaluation.base.Subject`. `requires` names the `doctor` checks that must pass,
    `pretrained` the weights for `data prepare`.
    """

    role: ClassVar[str] = "feature space"
    bare: ClassVar[bool] = True
    implementation: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ()
    pretrained: ClassVar[str] = ""

    def title(self, data: Dataset, weights: str) -> str:
        """Return the name of the space in labels, such as `digits` in `FD(digits)`."""
        return self.kind

    def is_inception(self, weights: str) -> bool:
        """Return whether distances are FID and scores IS, which holds only for the published Inception weights."""
        return False

    def floats(self, data: Dataset) -> int:
        """Return the estimated number of float32 features and logits stored per sample."""
        return 2 * data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return a glob pattern of the cache folders with features of `data`, or "" if there are none."""
        return ""


class InceptionSpace(FeatureSpace):
    """The Inception network of FID and IS. With other weights than the published ones, distances are not FID."""

    kind: Literal["inception"] = "inception"
    implementation: ClassVar[str] = "harness.evaluation.features.inception:inception_features"
    requires: ClassVar[tuple[str, ...]] = ("inception", "weights")
    pretrained: ClassVar[str] = "inception"

    def title(self, data: Dataset, weights: str) -> str:
        """Return the name of the network, with the hash prefix of other weights."""
        return f"inception {weights}".strip()

    def is_inception(self, weights: str) -> bool:
        """Return whether the weights are the published ones."""
        return not weights

    def floats(self, data: Dataset) -> int:
        """Return the number of Inception features and logits and of the model's own logits."""
        return INCEPTION_FLOATS + data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return the glob pattern of folders of these weights and data."""
        return f"inception-{weights}*-{data.name}-*"


class ClassifierSpace(FeatureSpace):
    """A small classifier trained on the same data. Its distances are not comparable with numbers from elsewhere."""

    kind: Literal["classifier"] = "classifier"
    implementation: ClassVar[str] = "harness.evaluation.features.classifier:classifier_features"

    def title(self, data: Dataset, weights: str) -> str:
        """Return the name of the dataset."""
        return data.name

    def floats(self, data: Dataset) -> int:
        """Return the number of the model's own logits; the features of the small network are negligible."""
        return data.num_classes

    def folders(self, data: Dataset, weights: str) -> str:
        """Return the glob pattern of folders of these data."""
        return f"{data.name}-*-r*"


AnyFeatureSpace = Annotated[SerializeAsAny[FeatureSpace], BeforeValidator(FeatureSpace.read)]


@dataclass(frozen=True)
class Embedding:
    """A feature space with the hash prefix of its weights, and the split that samples are compared with."""

    space: FeatureSpace
    weights: str
    reference: str
