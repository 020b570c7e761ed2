"""Configurations of energy-based methods: a classifier whose logits are also an unnormalised density of images.

All take log p(x) = logsumexp of the logits, up to a constant (JEM §3), or a class's logit as log p(x, y). Step sizes
and noise are in units of images in [-1, 1].
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
from harness.config.dataset import Dataset
from harness.config.interfaces import CLASSIFIER, FEATURES, GENERATE, GENERATOR, LOGITS, LOGITS_FROM
from harness.config.methods import VALIDATION_ACCURACY, Method, Validation, refuse_other_than_images
from harness.config.networks import Network, ResNetGenerator
from harness.config.training import Training
from harness.errors import SpecError

INPUT_GRADIENT = 2.0
"""A forward pass and its backward pass to the images alone cost as much as so many forward passes."""


class EnergyBased(Method):
    """A classifier that is trained as a density too.

    `input_noise` is added to training images. A training whose loss exceeds `divergence_bound` goes back to its last
    good state, `restarts` times at most.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({CLASSIFIER, GENERATOR})
    validation: ClassVar[Validation | None] = VALIDATION_ACCURACY
    states_kept: ClassVar[int] = 2
    """The present state, and the good one that a restart would go back to."""

    augmentation: Augmentation = Augmentation()
    input_noise: NonNegativeFloat = 0.03
    divergence_bound: PositiveFloat = 1e8
    restarts: NonNegativeInt = 3

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` when the data are no images with classes."""
        super().check(data, training)
        refuse_other_than_images(f"method '{self.kind}'", data)


class Replayed(EnergyBased):
    """A density whose samples are chains that go on from step to step, kept in a replay buffer.

    Each step continues as many chains as the batch has images; a share `reinitialised` of them begins anew. Samples are
    the chains of the buffer, continued for `sampling_steps` with the final weights: beyond `buffer_size`, other ways on
    from the same ones.
    """

    trained_passes: ClassVar[int] = 3
    """The passes of a step that are trained through: of images that are classified, observed, and sampled."""
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
        """The steps by which a chain is continued for a sample."""
        return self.sampling_steps

    def with_sampler_steps(self, steps: int) -> Self:
        """Return it with fewer steps for a sample."""
        return self.but(sampling_steps=min(steps, self.sampling_steps))

    def check(self, data: Dataset, training: Training) -> None:
        """Raise `SpecError` when a batch has more chains than the buffer."""
        super().check(data, training)
        if training.batch_size > self.buffer_size:
            raise SpecError(f"buffer_size={self.buffer_size} is less than batch_size={training.batch_size}")

    def kept_bytes(self, data: Dataset) -> int:
        """Return the bytes of the buffer, whose images are in float32."""
        return 4 * self.buffer_size * data.dimensions

    @property
    def gradients(self) -> int:
        """The gradients with respect to images that a step takes to continue its chains."""
        raise NotImplementedError

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of the trained passes and of the chains."""
        passes = 3 * self.trained_passes + INPUT_GRADIENT * self.gradients
        return passes * network.flops(data, LOGITS)

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of the density's gradient with respect to an image."""
        return INPUT_GRADIENT * network.flops(data, LOGITS)


class JEM(Replayed):
    """L = L_CE - log p(x), of which the second has its gradient from Langevin chains (Grathwohl et al. 2020, §3-4).

    A step of a chain adds `step_size` times the gradient of log p(x), and noise of a standard deviation of its own
    (§4). It begins anew in uniform noise.
    """

    kind: Literal["jem"] = "jem"
    implementation: ClassVar[str] = "harness.methods.jem:JEM"

    langevin_steps: PositiveInt = 20
    step_size: PositiveFloat = 1.0
    noise: NonNegativeFloat = 0.01
    density_weight: PositiveFloat = 1.0

    @property
    def gradients(self) -> int:
        """One for each step of a chain."""
        return self.langevin_steps


class JEMPlusPlus(Replayed):
    """JEM with proximal chains of nested steps, begun in Gaussians of the classes (Yang and Ji 2021).

    Each of `outer_steps` takes the gradient with respect to the output of the first layer; `inner_steps` follow it
    through that layer alone, each by `step_size` times the gradient clamped to `gradient_bound`. No noise is added.
    """

    kind: Literal["jem++"] = "jem++"
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
        """One for each outer step; those of the first layer alone cost next to nothing."""
        return self.outer_steps


class IGEBM(Replayed):
    """Contrastive divergence of class-conditional energies, with their squares as a penalty (Du and Mordatch 2019, §3).

    A step of a chain follows the gradient clamped to `gradient_bound`. The authors' values for images in [0, 1], a step
    of 10, a bound of 0.01 and noise of 0.005, are 40, 0.005 and 0.01 here.
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
        """One for each step of a chain."""
        return self.langevin_steps


class VERA(EnergyBased):
    """A classifier that is a density too, whose samples a second network learns to make (Grathwohl et al. 2021).

    The samples' entropy counts by `entropy_weight`; its gradient takes `importance_samples` of an approximate posterior
    of the latents, which a third optimiser fits. The loss of the classifier is `class_weight` L_CE - log p(x) with
    `gradient_penalty` times half the squared norm of the gradient of log p(x) (Algorithm 1 and its code).
    """

    kind: Literal["vera"] = "vera"
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
        """Raise `SpecError` when the generator cannot make images of `data`."""
        super().check(data, training)
        self.generator.check(data)

    def parameters(self, network: Network, data: Dataset) -> int:
        """Return the parameters of the classifier, of the generator with its noise, and of the posterior."""
        return network.parameters(data) + self.generator.parameters(data) + 1 + self.generator.noise_dim

    def train_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a step.

        The classifier is trained on real and made images, once more for the gradient penalty, and gives the generator
        its gradient; the generator is trained on one pass, makes the importance samples, and serves the posterior.
        """
        classifier = 3 + 3 + 5 + INPUT_GRADIENT
        generator = 3 + self.importance_samples + INPUT_GRADIENT
        return classifier * network.flops(data, LOGITS) + generator * self._made(data)

    def sample_flops(self, network: Network, data: Dataset) -> float:
        """Return the cost of a pass of the generator."""
        return self._made(data)

    def _made(self, data: Dataset) -> float:
        return self.generator.flops(data, GENERATE)
