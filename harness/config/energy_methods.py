"""Configurations of energy-based methods: classifiers whose logits define an unnormalised density of images.

All use log p(x) = logsumexp of the logits up to a constant (JEM §3), or the logit of a class as log p(x, y). Step
sizes and noise are in units of images in [-1, 1].
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializeAsAny,
)

from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset, images_of
from harness.config.interfaces import CLASSIFIER, FEATURES, GENERATE, GENERATOR, LOGITS, LOGITS_FROM
from harness.config.methods import VALIDATION_ACCURACY, Method, Validation
from harness.config.networks import Network, ResNetGenerator
from harness.config.training import Training
from harness.errors import SpecError

INPUT_GRADIENT = 2.0
"""The cost of a forward pass and a backward pass to the input only, in forward passes."""


class EnergyBased(Method):
    """A classifier that is also trained as a density model.

    `input_noise` is added to training images. If the loss exceeds `divergence_bound`, training goes back to its last
    good state, at most `restarts` times.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER, GENERATOR})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY
    states_kept: ClassVar[int] = 2
    """The current state, and the last good one for a restart."""

    augmentation: Augmentation = Augmentation()
    input_noise: NonNegativeFloat = 0.03
    divergence_bound: PositiveFloat = 1e8
    restarts: NonNegativeInt = 3

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` unless the data are images with classes."""
        super().check(data, training)
        images_of(data, self)


class Replayed(EnergyBased):
    """A density model sampled by persistent chains in a replay buffer.

    Each step continues one chain per image of the batch, restarted with probability `reinitialised`. Samples continue
    the chains of the buffer for `sampling_steps` with the final weights; beyond `buffer_size` samples, the same chains
    are continued again with other random numbers.
    """

    trained_passes: ClassVar[int] = 3
    """Trained passes per step: on images for the classifier, images for the density, and samples."""
    shrinks: ClassVar[Mapping[str, str]] = {
        "buffer_size": "buffer",
        "sampling_steps": "chain",
        "langevin_steps": "chain",
        "outer_steps": "chain",
    }

    buffer_size: PositiveInt = 10_000
    reinitialised: float = Field(0.05, ge=0, le=1)
    sampling_steps: PositiveInt = 20

    @property
    def sampler_steps(self) -> int:
        """Chain steps per sample."""
        return self.sampling_steps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return a copy with at most this many steps per sample."""
        return self.but(sampling_steps=min(steps, self.sampling_steps))

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` if a batch has more chains than the buffer."""
        super().check(data, training)
        if training.batch_size > self.buffer_size:
            raise SpecError(f"buffer_size={self.buffer_size} is less than batch_size={training.batch_size}")

    def kept_bytes(self, data: Dataset) -> int:
        """Return the bytes of the buffer of float32 images."""
        return 4 * self.buffer_size * data.dimensions

    @property
    def gradients(self) -> int:
        """The input gradients per training step for the chains."""
        raise NotImplementedError

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of the trained passes and of the chains."""
        passes = 3 * self.trained_passes + INPUT_GRADIENT * self.gradients
        return passes * network.flops(data, LOGITS)

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of one input gradient of the density."""
        return INPUT_GRADIENT * network.flops(data, LOGITS)


class JEM(Replayed):
    """L = L_CE - `density_weight` log p(x), with Langevin chains for its gradient (Grathwohl et al. 2020, §3-4).

    A chain step adds `step_size` times the gradient of log p(x), and noise with its own standard deviation `noise`
    (§4). Chains start from uniform noise.
    """

    kind: Literal["jem"] = "jem"
    implementation: ClassVar[str] = "harness.methods.jem:JEM"

    langevin_steps: PositiveInt = 20
    step_size: PositiveFloat = 1.0
    noise: NonNegativeFloat = 0.01
    density_weight: PositiveFloat = 1.0

    @property
    def gradients(self) -> int:
        """One per chain step."""
        return self.langevin_steps


class JEMPlusPlus(Replayed):
    """JEM with proximal chains of nested steps, started from class-wise Gaussians (Yang and Ji 2021).

    Each outer step computes the gradient at the output of the first layer; `inner_steps` then backpropagate it through
    that layer only, each moving by `step_size` times the gradient clamped to `gradient_bound`. No noise is added.
    """

    kind: Literal["jem++"] = "jem++"
    revision: ClassVar[int] = 2
    """2 passes the observed images through the network before the chains advance."""
    implementation: ClassVar[str] = "harness.methods.jem_plus_plus:JEMPlusPlus"
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS, FEATURES, LOGITS_FROM})

    outer_steps: PositiveInt = 10
    inner_steps: PositiveInt = 5
    step_size: PositiveFloat = 0.2
    gradient_bound: PositiveFloat = 1.0
    density_weight: PositiveFloat = 1.0
    sampling_steps: PositiveInt = 10

    @property
    def gradients(self) -> int:
        """One per outer step; the gradients of the first layer are negligible."""
        return self.outer_steps


class IGEBM(Replayed):
    """Contrastive divergence of class-conditional energies with an L2 energy penalty (Du and Mordatch 2019, §3).

    A chain step follows the gradient clamped to `gradient_bound`. For images in [0, 1] the authors use a step of 10, a
    bound of 0.01 and noise of 0.005, which are 40, 0.005 and 0.01 here.
    """

    kind: Literal["igebm"] = "igebm"
    implementation: ClassVar[str] = "harness.methods.igebm:IGEBM"
    trained_passes: ClassVar[int] = 2

    langevin_steps: PositiveInt = 60
    step_size: PositiveFloat = 40.0
    gradient_bound: PositiveFloat = 0.005
    noise: NonNegativeFloat = 0.01
    energy_penalty: NonNegativeFloat = 1.0
    sampling_steps: PositiveInt = 60

    @property
    def gradients(self) -> int:
        """One per chain step."""
        return self.langevin_steps


class VERA(EnergyBased):
    """A classifier and density model with an amortised sampler, a second network (VERA, Grathwohl et al. 2021).

    `entropy_weight` weighs the entropy of the samples; its gradient uses `importance_samples` from an approximate
    posterior of the latents, fitted by a third optimiser. The loss of the classifier is `class_weight` L_CE - log p(x)
    plus `gradient_penalty` times half the squared norm of the gradient of log p(x) (Algorithm 1 and its code).

    The noise scale of the generator starts at `smallest_sigma` and is clamped at `largest_sigma`; the standard
    deviations of the posterior start at `posterior_sigma`.
    """

    kind: Literal["vera"] = "vera"
    revision: ClassVar[int] = 2
    """2 draws the importance samples before the posterior's step."""
    implementation: ClassVar[str] = "harness.methods.vera:VERA"

    generator: Annotated[SerializeAsAny[ResNetGenerator], BeforeValidator(Network.read)] = ResNetGenerator()
    class_weight: NonNegativeFloat = 100.0
    gradient_penalty: NonNegativeFloat = 0.1
    entropy_weight: NonNegativeFloat = 1e-4
    importance_samples: PositiveInt = 20
    posterior_sigma: PositiveFloat = 0.1
    smallest_sigma: PositiveFloat = 0.01
    largest_sigma: PositiveFloat = 0.3
    input_noise: NonNegativeFloat = 0.0

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` if the generator cannot make images of `data`."""
        super().check(data, training)
        self.generator.check(data)

    def parameters(self, network: Network, data: Dataset) -> int:
        """Return the number of parameters: classifier, generator with its noise scale, and posterior."""
        return network.parameters(data) + self.generator.parameters(data) + 1 + self.generator.noise_dim

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a step.

        Classifier: training on real and generated images, the gradient penalty, the input gradient for the generator.
        Generator: one trained pass, the importance samples, the input gradient for the posterior.
        """
        classifier = 3 + 3 + 5 + INPUT_GRADIENT
        generator = 3 + self.importance_samples + INPUT_GRADIENT
        return classifier * network.flops(data, LOGITS) + generator * self._generator_flops(data)

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a generator pass."""
        return self._generator_flops(data)

    def _generator_flops(self, data: Dataset) -> float:
        return self.generator.flops(data, GENERATE)
