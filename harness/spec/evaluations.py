"""Evaluation configurations: a protocol with all its settings, and the quantities that it measures."""

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from harness.spec.config import Family
from harness.spec.data import Dataset
from harness.spec.methods import Capability


class Evaluation(Family):
    """A protocol that turns a trained model into numbers.

    `needs` is the capability that it asks of the model; `implementation` names the module and the function.
    `after` is the share of the training after which the EMA weights are taken, in tenths; 1 is the end.
    """

    implementation: ClassVar[str]
    needs: ClassVar[Capability]

    after: float = Field(1.0, gt=0, le=1, multiple_of=0.1)

    @property
    def id(self) -> str:
        """The kind and the beginning of the digest: names the evaluation's files in a run directory."""
        return f"{self.kind}-{self.digest[:8]}"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return what each measured quantity is called in print; honest about the feature space."""
        raise NotImplementedError


class Accuracy(Evaluation):
    """Top-1 accuracy of the EMA weights on un-augmented images."""

    kind: Literal["accuracy"] = "accuracy"
    implementation: ClassVar[str] = "harness.evaluation.accuracy:evaluate"
    needs: ClassVar[Capability] = Capability.CLASSIFIER

    split: Literal["train", "test"] = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity, in percent."""
        return {"accuracy": "Acc"}


class Generation(Evaluation):
    """Fréchet distance and class score of samples against a reference split.

    `features` names the feature space: `inception` gives FID and IS; `classifier` is a small network trained on
    the same data, whose distances are called FD and CS and compare with nothing outside of this harness.
    """

    kind: Literal["generation"] = "generation"
    implementation: ClassVar[str] = "harness.evaluation.generation:evaluate"
    needs: ClassVar[Capability] = Capability.GENERATOR

    samples: PositiveInt = 10_000
    sampler: Literal["ancestral"] = "ancestral"
    features: Literal["inception", "classifier"] = "inception"
    reference: Literal["train", "test"] = "train"
    score_splits: PositiveInt = 10

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return FID and IS for Inception features, FD(data) and CS(data) otherwise."""
        if self.features == "inception":
            return {"frechet_distance": "FID", "class_score": "IS"}
        return {"frechet_distance": f"FD({data.name})", "class_score": f"CS({data.name})"}


class Likelihood(Evaluation):
    """Bits per dimension by the full variational bound: every timestep, the decoder and the prior."""

    kind: Literal["likelihood"] = "likelihood"
    implementation: ClassVar[str] = "harness.evaluation.likelihood:evaluate"
    needs: ClassVar[Capability] = Capability.LIKELIHOOD

    split: Literal["train", "test"] = "test"

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity."""
        return {"bits_per_dim": "bits/dim"}
