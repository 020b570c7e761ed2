"""The interface between methods and the code that trains or evaluates them.

A method owns its networks and all further state (a replay buffer, say, as a registered buffer), and defines one
training step. Each trained network is a player with its own optimiser and EMA: a classifier has one, a GAN two. A step
yields its losses one at a time, and the loop updates the named player before asking for the next loss, so that a
generator trains against the discriminator just updated.

State kept between steps is identical on every rank. A rank shares values computed for its own rows, such as samples
for a replay buffer, through `Step.gather_rows`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.config.interfaces import Capability
from harness.config.resolve import resolve
from harness.config.run import RunConfig
from harness.config.samplers import Sampler
from harness.data.batches import TrainBatch
from harness.data.loaders import Loader
from harness.errors import SpecError
from harness.models.base import ImageNetwork, build_network
from harness.randomness import Stream


@runtime_checkable
class Classifier(Protocol):
    """A model with class logits, differentiable with respect to the images."""

    def logits(self, images: Tensor) -> Tensor:
        """Return logits `(batch, num_classes)` of images in [-1, 1]."""
        ...


@runtime_checkable
class Generator(Protocol):
    """A model that generates images, each a function of the stream and its own index only."""

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Return the samples with these indices, in [-1, 1], shaped `(len(rows), channels, size, size)`."""
        ...


@runtime_checkable
class LikelihoodModel(Protocol):
    """A model with a likelihood bound."""

    def bits_per_dim(self, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return an upper bound on the negative log-likelihood of each image, in bits per dimension."""
        ...


@dataclass(frozen=True)
class Step:
    """Inputs of a training step: this rank's rows of the global batches, and the random stream of the step.

    `batch_size` is the size of the global batch; `all_reduce_sum` sums a tensor over the ranks.
    """

    batches: Mapping[str, TrainBatch]
    stream: Stream
    batch_size: int
    all_reduce_sum: Callable[[Tensor], Tensor] = lambda tensor: tensor

    def gather_rows(self, values: Tensor, rows: Tensor) -> Tensor:
        """All-gather the values of the global batch; `values` are this rank's, at positions `rows`."""
        whole = values.new_zeros(self.batch_size, *values.shape[1:])
        whole[rows] = values
        return self.all_reduce_sum(whole)


@dataclass(frozen=True)
class Loss:
    """A scalar that one player minimises, and scalars to log, all averaged over the batch."""

    player: str
    value: Tensor
    log: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class DivergenceGuard:
    """The largest absolute loss allowed, and how often training may restart from its last good state."""

    bound: float
    restarts: int


class Method(nn.Module, ABC):
    """Base class of training methods. Subclasses implement the capabilities they declare."""

    guard: DivergenceGuard | None = None
    """Set by methods known to diverge."""

    @abstractmethod
    def augmentations(self) -> Mapping[str, Augmentation | None]:
        """Return the batches that a step needs, by name, with the augmentation of each (None: no augmentation).

        Each batch iterates over the training split in its own order.
        """

    @abstractmethod
    def players(self) -> dict[str, nn.Module]:
        """Return the trained networks, keyed by attribute name."""

    @abstractmethod
    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the losses of one step, each averaged over this rank's rows of the global batch.

        Every random draw comes from the stream of the step, indexed by the rows of its images.
        """

    @abstractmethod
    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights."""

    def prepare(self, loader: Loader) -> None:
        """Compute statistics of the training split, before the first step and after each resume.

        The result must depend on the split alone.
        """


class SingleNetworkMethod(Method):
    """A method with a single player, `network`."""

    def __init__(self, network: ImageNetwork, data: Dataset) -> None:
        super().__init__()
        self.network = network
        self.example_shape = data.example_shape

    def players(self) -> dict[str, nn.Module]:
        """Return the single network."""
        return {"network": self.network}

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights of the network."""
        draw_weights(self.network, stream)


def draw_weights(network: nn.Module, stream: Stream) -> None:
    """Initialise an `ImageNetwork` from a stream; any other module was initialised by its constructor."""
    if isinstance(network, ImageNetwork):
        network.initialise(stream.generator())


def build_method(config: RunConfig, device: torch.device) -> Method:
    """Build the untrained method of a run on a device, with initialised networks.

    Torch's global generator is seeded by the run's seed while modules are built. Raises `SpecError` if the method
    lacks a capability declared in its configuration, or if its state holds anything but tensors.
    """
    stream = Stream(config.seed, "initialisation")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream.at("modules").seed)
        network = build_network(config.network, config.data)
        method: Method = resolve(type(config.method).implementation)(config.method, network, config.data)
    of = f"method '{config.method.kind}'"
    Capability.check(method, config.method.capabilities, of)
    method.initialise(stream)
    for name, value in method.state_dict().items():
        if not isinstance(value, Tensor):
            raise SpecError(f"{of} has a {type(value).__name__} in its state, '{name}': checkpoints hold only tensors")
    return method.to(device)
