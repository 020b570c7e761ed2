"""Evaluations of generative models: distances between samples and data, and likelihood bounds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from harness.config.dataset import Dataset
from harness.config.evaluations.base import PROTOCOL, Evaluation, Work, cost_of
from harness.config.feature_spaces import AnyFeatureSpace, Embedding, InceptionSpace
from harness.config.interfaces import GENERATOR, LIKELIHOOD, PREDICT_NOISE
from harness.config.samplers import Ancestral, AnySampler

if TYPE_CHECKING:
    from harness.config.run import RunConfig


class Generation(Evaluation):
    """Distances of samples from a reference split, and the class score of samples (IS or CS).

    `features` is the feature space: `inception` gives FID and IS; `classifier` is a small network trained on the same
    data, whose FD and CS are not comparable with numbers from elsewhere. The same holds for Inception with other
    `weights` than the published ones, named by the first digits of their SHA-256.
    `neighbours` is the k of precision, recall, density and coverage.
    """

    kind: Literal["generation"] = "generation"
    implementation: ClassVar[str] = "harness.evaluation.generation:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.generators:GENERATION"
    needs: ClassVar[frozenset[str]] = frozenset({GENERATOR})
    secondary: ClassVar[tuple[str, ...]] = ("precision", "recall", "density", "coverage")
    shrinks: ClassVar[Mapping[str, str]] = {"samples": "samples", "features": "features"}
    scoring: ClassVar = frozenset({"samples", "features", "weights", "reference", "score_splits", "neighbours"})
    """The fields that score samples; the samples depend on all others."""

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

    def work(self, config: "RunConfig") -> Work:
        """Return the sampler steps of all samples."""
        passes = self.samples * self.sampler.passes(config.method.sampler_steps)
        return Work(passes, config.method.sample_flops(config.network, config.data))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return FID and IS with their protocol, such as `FID@10k train`, for Inception features, else FD and CS.

        All labels name the sampler unless it is the full chain.
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
        """Return the bytes of the samples, their features, and the logits of both classifiers."""
        return self.samples * (data.stored[data.inputs].bytes + 4 * self.features.floats(data))

    @property
    def embedding(self) -> Embedding:
        """The feature space and the reference split."""
        return Embedding(self.features, self.weights or "", self.reference)

    def reduced(self, items: int) -> Self:
        """Return a copy with few samples, but more than `neighbours`."""
        return self.but(after=1.0, samples=min(self.samples, max(items, self.neighbours + 1)))


class Likelihood(Evaluation):
    """Bits per dimension from the full variational bound: all timesteps, the decoder and the prior."""

    kind: Literal["likelihood"] = "likelihood"
    implementation: ClassVar[str] = "harness.evaluation.likelihood:evaluate"
    recomputations: ClassVar[str] = "harness.recheck.generators:LIKELIHOOD"
    needs: ClassVar[frozenset[str]] = frozenset({LIKELIHOOD})

    split: str = "test"

    def work(self, config: "RunConfig") -> Work:
        """Return the whole chain for every image of the split."""
        return Work(config.data.examples(self.split) * config.method.sampler_steps, cost_of(config, PREDICT_NOISE))

    def labels(self, data: Dataset) -> dict[str, str]:
        """Return the label of the one quantity."""
        return {"bits_per_dim": "bits/dim"}
