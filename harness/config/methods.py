"""Method configurations: what to train, and which evaluations the trained model supports."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveFloat, SerializeAsAny

from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset, Images, images_of
from harness.config.family import Family
from harness.config.interfaces import CLASSIFIER, GENERATOR, LIKELIHOOD, LOGITS, PREDICT_NOISE
from harness.config.networks import Network
from harness.config.processes import AnyProcess, GaussianProcess
from harness.config.training import Training
from harness.errors import SpecError


@dataclass(frozen=True)
class Validation:
    """A quantity monitored during training, as a mean over the examples of a split.

    `implementation` names a function `(model, batch)` that returns one value per example, `(batch,)`, with the model in
    evaluation mode. Curves store the mean as `SPLIT_NAME`, such as `test_accuracy`.
    """

    name: str
    better: Literal["higher", "lower"]
    implementation: str


VALIDATION_ACCURACY = Validation("accuracy", "higher", "harness.methods.validation:accuracy")
"""Top-1 accuracy in percent."""


class Method(Family):
    """A training method.

    `implementation` names the class as `module:name`, imported only by the worker. `capabilities` determine which
    evaluations a trained model supports. `validation` is the quantity monitored during training.
    """

    implementation: ClassVar[str]
    capabilities: ClassVar[frozenset[str]] = frozenset()
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS})
    """The passes required of the network."""
    validation: ClassVar[Validation | None] = None
    states_kept: ClassVar[int] = 1
    """The number of training states in a checkpoint."""

    @property
    def sampler_steps(self) -> int:
        """The steps of the sampling chain, 1 if there is none."""
        return 1

    def with_sampler_steps(self, steps: int) -> Self:
        """Return a copy with a shorter chain and the same networks, for rehearsals."""
        return self

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` if the method does not support these data or this training.

        By default, augmentation requires images, and a classifier requires classes.
        """
        for name in type(self).model_fields:
            if isinstance(part := getattr(self, name), Augmentation) and part != Augmentation():
                if not isinstance(data, Images):
                    owner = f"{name} of method '{self.kind}'"
                    raise SpecError(f"{owner} needs images: dataset '{data.name}' holds {data.kind}")
                if part.mix and not data.num_classes:
                    raise SpecError(f"mix={part.mix:g} mixes labels too: dataset '{data.name}' has no classes")
        if CLASSIFIER in self.capabilities and not data.num_classes:
            raise SpecError(f"method '{self.kind}' classifies: dataset '{data.name}' has no classes")

    def parameters(self, network: Network, data: Dataset) -> int:
        """Return the number of parameters of all trained networks."""
        return network.parameters(data)

    def kept_bytes(self, data: Dataset) -> int:
        """Return the bytes of model state besides parameters, such as a replay buffer."""
        return 0

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the FLOPs of one training step per example of the batch, counting a backward pass as two forwards.

        By default, a step runs each pass of the method once.
        """
        return 3 * sum(network.flops(data, name) for name in sorted(self.passes))

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the FLOPs of one chain step for one sample."""
        return network.flops(data, PREDICT_NOISE)


class Classification(Method):
    """Cross-entropy on augmented images (the rows called ViT)."""

    kind: Literal["classification"] = "classification"
    implementation: ClassVar[str] = "harness.methods.classification:Classification"
    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY

    augmentation: Augmentation = Augmentation()
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a forward and backward pass."""
        return 3 * network.flops(data, LOGITS)


class Diffusion(Method):
    """A method that trains the denoising network of a diffusion process."""

    process: AnyProcess = GaussianProcess()

    @property
    def sampler_steps(self) -> int:
        """The number of steps of the process."""
        return self.process.sampler_steps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return a copy with a shorter process."""
        return self.but(process=self.process.with_sampler_steps(steps))

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` unless the data are images."""
        super().check(data, training)
        images_of(data, self)


class Denoising(Diffusion):
    """L = alpha L_simple on clean images (the rows called GenViT; HybViT Eq. 15), or on augmented ones (DDPM)."""

    kind: Literal["denoising"] = "denoising"
    implementation: ClassVar[str] = "harness.methods.denoising:Denoising"
    capabilities: ClassVar[frozenset[str]] = frozenset({GENERATOR, LIKELIHOOD})
    passes: ClassVar[frozenset[str]] = frozenset({PREDICT_NOISE})
    left_out: ClassVar[frozenset[str]] = frozenset({"augmentation"})

    alpha: PositiveFloat = 1.0
    augmentation: Augmentation | None = None

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a timestep-conditioned forward and backward pass."""
        return 3 * network.flops(data, PREDICT_NOISE)


class Hybrid(Diffusion):
    """L = L_CE + alpha L_simple, each on its own mini-batch (HybViT Eq. 23)."""

    kind: Literal["hybrid"] = "hybrid"
    implementation: ClassVar[str] = "harness.methods.hybrid:Hybrid"
    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER, GENERATOR, LIKELIHOOD})
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS, PREDICT_NOISE})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY

    alpha: NonNegativeFloat
    augmentation: Augmentation = Augmentation()
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a forward and backward pass without and with timestep conditioning."""
        forward = network.flops(data, LOGITS) + network.flops(data, PREDICT_NOISE)
        return 3 * forward


AnyMethod = Annotated[SerializeAsAny[Method], BeforeValidator(Method.read)]
