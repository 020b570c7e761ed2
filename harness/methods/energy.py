"""Base classes of energy-based methods: classifier logits as an unnormalised density, and replayed chains."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from harness.config import energy_methods as spec
from harness.config.dataset import Dataset
from harness.config.samplers import Sampler
from harness.data.batches import TrainBatch
from harness.errors import SpecError
from harness.methods.base import DivergenceGuard, SingleNetworkMethod, Step
from harness.methods.replay_buffer import ReplayBuffer
from harness.models.base import ImageNetwork
from harness.models.dropout import seed_dropout
from harness.randomness import Stream


class EnergyModel(SingleNetworkMethod):
    """A network whose `logits` are log p(x, y) up to a constant (JEM §3). Capability: `Classifier`."""

    def __init__(self, config: spec.EnergyBased, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.guard = DivergenceGuard(config.divergence_bound, config.restarts)
        self._input_noise = config.input_noise

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)` of images in [-1, 1]."""
        return self.network.logits(images)

    def log_density(self, images: Tensor) -> Tensor:
        """Return log p(x) `(batch,)` up to a constant: the logsumexp of the logits (JEM §3, HybViT App. C.1)."""
        return self.logits(images).logsumexp(dim=1)

    def seed_dropout(self, step: Step, name: str, rows: Tensor) -> None:
        """Seed the dropout layers for the next forward passes; a no-op without dropout."""
        seed_dropout(self.network, step.stream.at("dropout", name), rows)

    def noised(self, name: str, step: Step) -> TrainBatch:
        """Return a batch of the step with Gaussian input noise added."""
        batch = step.batches[name]
        if not self._input_noise:
            return batch
        noise = step.stream.at("input noise", name).normal(batch.rows, *self.example_shape)
        return batch.replaced(images=batch.images + self._input_noise * noise)


class ReplayedEnergyModel(EnergyModel):
    """An energy-based model with persistent chains in a replay buffer. Capabilities: `Classifier`, `Generator`."""

    def __init__(self, config: spec.Replayed, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config, network, data)
        self.replay = ReplayBuffer(config.buffer_size, self.example_shape, config.reinitialised)
        self._sampling_steps = config.sampling_steps

    def initialise(self, stream: Stream) -> None:
        """Draw the initial weights and the initial states of the chains."""
        super().initialise(stream)
        self.replay.images.copy_(self.initial_states(stream.at("replay"), torch.arange(len(self.replay))))

    def initial_states(self, stream: Stream, rows: Tensor) -> Tensor:
        """Draw initial states of chains, one per row: uniform noise in [-1, 1] (JEM §4)."""
        return 2 * stream.uniform(rows, *self.example_shape) - 1

    def advance(self, start: Tensor, slots: Tensor, steps: int, stream: Stream, rows: Tensor) -> Tensor:
        """Return the states of the chains in `slots`, advanced by `steps` from the states `start`."""
        raise NotImplementedError

    def advance_buffer(self, step: Step, rows: Tensor, steps: int) -> Tensor:
        """Advance the chains of `rows` by `steps`, store them in the buffer, and return them as samples."""
        stream = step.stream.at("chain")
        start = self.replay.begin(step, rows, self.initial_states(stream.at("fresh"), rows))
        ends = self.advance(start, self.replay.slots(step)[rows], steps, stream, rows)
        self.replay.keep(step, rows, ends)
        return ends

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Return the chains of the buffer in [-1, 1], advanced by the configured number of steps.

        Raises `SpecError` for samplers of diffusion models.
        """
        refuse_diffusion_samplers(sampler)
        # Langevin steps need gradients, and autograd cannot use inference tensors: leave the mode and clone `rows`.
        with torch.inference_mode(False), torch.no_grad():
            indices = rows.clone()
            slots = indices % len(self.replay)
            ends = self.advance(self.replay.images[slots], slots, self._sampling_steps, stream.at("chain"), indices)
        return ends.clamp(-1, 1)


def refuse_diffusion_samplers(sampler: Sampler) -> None:
    """Raise `SpecError` for a sampler that needs a diffusion process."""
    if not sampler.full:
        raise SpecError(f"sampler '{sampler.kind}' needs a diffusion model; allowed here: ancestral")


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Disable the gradients of a network's weights within the context."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode within the context."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
