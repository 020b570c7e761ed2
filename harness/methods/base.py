"""The interface between methods and everything that trains or evaluates them.

A method owns its networks and all further state (a replay buffer, say, as a registered buffer), and says what one
training step is. Each trained network is a player with its own optimiser and EMA: one for a classifier, two for a
GAN. A step yields losses one after the other, and the loop updates the named player before it asks for the next,
so that a generator can be trained against the discriminator that has just moved.

Whatever a method keeps from step to step is the same on every rank. What each rank has computed for its own rows, such
as samples that go into a replay buffer, it asks `Step.gather_rows` for.
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
    """A model with class logits that can be differentiated with respect to the images."""

    def logits(self, images: Tensor) -> Tensor:
        """Return logits `(batch, num_classes)` of images in [-1, 1]."""
        ...


@runtime_checkable
class Generator(Protocol):
    """A model that makes images, each a function of the stream and of its own index."""

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Return the samples with these indices, in [-1, 1], shaped `(len(rows), channels, size, size)`."""
        ...


@runtime_checkable
class LikelihoodModel(Protocol):
    """A model with a bound on the likelihood of images."""

    def bits_per_dim(self, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return an upper bound on the negative log-likelihood of each image, in bits per dimension."""
        ...


@dataclass(frozen=True)
class Step:
    """What a training step is given: this rank's rows of the global batches, and the random numbers of the step.

    `batch_size` is that of the global batch, `total` returns the sum of a tensor over the ranks.
    """

    batches: Mapping[str, TrainBatch]
    stream: Stream
    batch_size: int
    total: Callable[[Tensor], Tensor] = lambda tensor: tensor

    def gather_rows(self, values: Tensor, rows: Tensor) -> Tensor:
        """Return the values of the whole global batch, on every rank, of which this one has those of some rows."""
        whole = values.new_zeros(self.batch_size, *values.shape[1:])
        whole[rows] = values
        return self.total(whole)


@dataclass(frozen=True)
class Loss:
    """A scalar to be minimised by one player, and scalars to be logged: all of them means over the batch."""

    player: str
    value: Tensor
    log: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class DivergenceGuard:
    """How large a loss may become, and how often a training that exceeds it goes back to its last good state."""

    bound: float
    restarts: int


class Method(nn.Module, ABC):
    """What training means. Subclasses add the capabilities that they have."""

    guard: DivergenceGuard | None = None
    """Set by methods that are known to diverge."""

    @abstractmethod
    def augmentations(self) -> Mapping[str, Augmentation | None]:
        """Return the batches that a step needs, by name, with the augmentation of their images, None to leave them.

        Each runs through the training split in an order of its own.
        """

    @abstractmethod
    def players(self) -> dict[str, nn.Module]:
        """Return the trained networks by the name of the attribute that holds them."""

    @abstractmethod
    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the losses of one step, each the mean over the rows of the global batch that are given.

        Every random draw comes from the stream of the step, at the rows of the images it is for.
        """

    @abstractmethod
    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights."""

    def prepare(self, loader: Loader) -> None:
        """Take what training needs to know of the training split, before the first step and after each resumption.

        It must be a function of the split alone.
        """


class SingleNetworkMethod(Method):
    """A method that trains one network, called `network`, with one optimiser."""

    def __init__(self, network: ImageNetwork, data: Dataset) -> None:
        super().__init__()
        self.network = network
        self.example_shape = data.example_shape

    def players(self) -> dict[str, nn.Module]:
        """Return the one network."""
        return {"network": self.network}

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights of the network."""
        draw_weights(self.network, stream)


def draw_weights(network: nn.Module, stream: Stream) -> None:
    """Initialise a network from a stream, unless its constructor has initialised it."""
    if isinstance(network, ImageNetwork):
        network.initialise(stream.generator())


def build_method(config: RunConfig, device: torch.device) -> Method:
    """Return the untrained method of a run on a device, with its networks built and initialised.

    What a module draws from torch's global generator while it is built is a function of the run's seed. Raises
    `SpecError` when the method lacks a capability that its configuration promises, or has state that is no tensor.
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
            raise SpecError(
                f"{of} keeps a {type(value).__name__} in its state, '{name}': checkpoints hold tensors alone"
            )
    return method.to(device)
