"""Denoising: a diffusion model (the GenViT rows)."""

from collections.abc import Iterator

from torch import Tensor

from harness.config import methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.config.processes import Process
from harness.config.resolve import resolve
from harness.config.samplers import Sampler
from harness.data.batches import TrainBatch
from harness.diffusion.process import DiffusionProcess
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from harness.models.dropout import seed_dropout
from harness.randomness import Stream


class DiffusionModel(SingleNetworkMethod):
    """A network with `predict_noise` and its diffusion process. Capabilities: `Generator`, `LikelihoodModel`."""

    diffusion: DiffusionProcess

    def __init__(self, process: Process, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.diffusion = resolve(process.implementation)(process, data)

    def denoising_loss(self, batch: TrainBatch, stream: Stream) -> Tensor:
        """Return L_simple of the process on a batch of clean images (HybViT Eq. 15)."""
        seed_dropout(self.network, stream.at("dropout"), batch.rows)
        return self.diffusion.training_loss(self.network.predict_noise, batch.inputs, stream, batch.rows)

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Return the samples with indices `rows`, `(len(rows), *example_shape)` in [-1, 1]."""
        return self.diffusion.sample(sampler, self.network.predict_noise, self.example_shape, stream, rows)

    def bits_per_dim(self, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the variational bound of each image in bits per dimension, `(batch,)` (HybViT Eq. 5)."""
        return self.diffusion.bits_per_dim(self.network.predict_noise, images, stream, rows)


class Denoising(DiffusionModel):
    """Minimises alpha L_simple, the second term of HybViT Eq. 23; alpha matters only through gradient clipping."""

    def __init__(self, config: spec.Denoising, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config.process, network, data)
        self.config = config

    def augmentations(self) -> dict[str, Augmentation | None]:
        """Return the single batch of a step, unaugmented unless configured otherwise."""
        return {"clean": self.config.augmentation}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the weighted denoising loss."""
        denoising = self.denoising_loss(step.batches["clean"], step.stream.at("diffusion"))
        yield Loss("network", self.config.alpha * denoising, {"denoising": denoising.detach()})
