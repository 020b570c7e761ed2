"""Method configurations: what is trained, and which evaluations the result allows."""

from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from harness.spec.config import Config, Family
from harness.spec.data import Dataset
from harness.spec.networks import Network, Pass
from harness.spec.training import Training


class Capability(StrEnum):
    """What a trained model can be asked for."""

    CLASSIFIER = "classifier"
    GENERATOR = "generator"
    LIKELIHOOD = "likelihood"


class Augmentation(Config):
    """Augmentation of the labelled images, in the order of the fields (HybViT Appendix C.2).

    Probabilities are per image, except `mix`, which is per batch. `policy` names a set of geometric and
    colour operations: `none`, `digits`, or the AutoAugment policies of the paper's datasets.
    """

    flip: bool = False
    crop_padding: NonNegativeInt = 0
    policy: Literal["none", "digits", "cifar10", "imagenet", "svhn"] = "none"
    erasing: float = Field(0.0, ge=0, le=1)
    mix: float = Field(0.0, ge=0, le=1)


class GaussianProcess(Config):
    """A discrete Gaussian diffusion whose network predicts the noise (HybViT §2.1; DDPM §2)."""

    timesteps: PositiveInt = 1000
    noise_schedule: Literal["cosine", "linear"] = "cosine"
    loss: Literal["l1", "l2"] = "l1"


class Method(Family):
    """What training a network means.

    `implementation` names the module and the class, imported only by the worker; `capabilities` say which
    evaluations a trained model allows.
    """

    implementation: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    passes: ClassVar[frozenset[Pass]] = frozenset({Pass.LOGITS})
    """What the network has to offer."""
    states_kept: ClassVar[int] = 1
    """How many states of a training a checkpoint holds."""

    @property
    def chain(self) -> int:
        """The steps of the chain that is sampled from, 1 where there is none."""
        return 1

    def shortened(self, steps: int) -> Self:
        """Return the same method with a shorter chain, to be tried out; its networks stay the same."""
        return self

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` when it cannot be trained like this."""

    def parameters(self, network: Network, data: Dataset) -> int:
        """Return the parameters of all trained networks."""
        return network.parameters(data)

    def kept_bytes(self, data: Dataset) -> int:
        """Return the bytes of what a model has beside its parameters, such as a replay buffer."""
        return 0

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the operations of one training step per image of the batch, backward taken as two forwards."""
        raise NotImplementedError

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the operations of one step of the chain for one sample."""
        return network.forward_flops(data, conditioned=True)


class Classification(Method):
    """Cross-entropy on augmented images (the rows called ViT)."""

    kind: Literal["classification"] = "classification"
    implementation: ClassVar[str] = "harness.methods.classification:Classification"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.CLASSIFIER})

    augmentation: Augmentation = Augmentation()
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return three times the cost of a forward pass."""
        return 3 * network.forward_flops(data, conditioned=False)


class Diffusion(Method):
    """A method that trains the noise predictor of a Gaussian diffusion."""

    process: GaussianProcess = GaussianProcess()

    @property
    def chain(self) -> int:
        """The timesteps of the process."""
        return self.process.timesteps

    def shortened(self, steps: int) -> Self:
        """Return it with fewer timesteps."""
        return self.but(timesteps=min(steps, self.chain))


class Denoising(Diffusion):
    """L = alpha L_simple on clean images (the rows called GenViT; HybViT Eq. 15), or on augmented ones (DDPM)."""

    kind: Literal["denoising"] = "denoising"
    implementation: ClassVar[str] = "harness.methods.denoising:Denoising"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.GENERATOR, Capability.LIKELIHOOD})
    passes: ClassVar[frozenset[Pass]] = frozenset({Pass.PREDICT_NOISE})

    alpha: PositiveFloat = 1.0
    augmentation: Augmentation | None = None

    @model_serializer(mode="wrap")
    def _without_augmentation(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out an augmentation that is not there: runs from before there could be one keep their identity."""
        document: dict[str, Any] = handler(self)
        if self.augmentation is None:
            del document["augmentation"]
        return document

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return three times the cost of a conditioned forward pass."""
        return 3 * network.forward_flops(data, conditioned=True)


class Hybrid(Diffusion):
    """L = L_CE + alpha L_simple, each on its own mini-batch (HybViT Eq. 23)."""

    kind: Literal["hybrid"] = "hybrid"
    implementation: ClassVar[str] = "harness.methods.hybrid:Hybrid"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    passes: ClassVar[frozenset[Pass]] = frozenset({Pass.LOGITS, Pass.PREDICT_NOISE})

    alpha: NonNegativeFloat
    augmentation: Augmentation = Augmentation()
    label_smoothing: float = Field(0.0, ge=0, lt=1)

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return three times the cost of one unconditioned and one conditioned forward pass."""
        forward = network.forward_flops(data, conditioned=False) + network.forward_flops(data, conditioned=True)
        return 3 * forward
