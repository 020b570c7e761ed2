"""Denoising: a Gaussian diffusion model (the rows called GenViT)."""

from collections.abc import Iterator

from torch import Tensor

from harness.data.augmentation import Mixed
from harness.diffusion.bound import bits_per_dim
from harness.diffusion.gaussian import GaussianDiffusion
from harness.diffusion.samplers import draw
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from harness.models.dropout import drop
from harness.randomness import Stream
from harness.spec import methods as spec
from harness.spec.data import Dataset
from harness.spec.methods import Augmentation, GaussianProcess
from harness.spec.samplers import Sampler


class DiffusionModel(SingleNetworkMethod):
    """A network with `predict_noise` and its diffusion process. Capabilities: `Generator`, `LikelihoodModel`."""

    def __init__(self, process: GaussianProcess, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.diffusion = GaussianDiffusion(process)

    def denoising_loss(self, batch: Mixed, stream: Stream) -> Tensor:
        """Return L_simple of a batch of clean images, with a uniform timestep for each (HybViT Eq. 15)."""
        timesteps = stream.at("timestep").integers(batch.rows, self.diffusion.timesteps)
        noise = stream.at("noise").normal(batch.rows, *self.image_shape)
        drop(self.network, stream.at("dropout"), batch.rows)
        return self.diffusion.simple_loss(self.network.predict_noise, batch.images, timesteps, noise)

    def sample(self, sampler: Sampler, stream: Stream, rows: Tensor) -> Tensor:
        """Return samples from noise, through the steps of the sampler."""
        return draw(sampler, self.diffusion, self.network.predict_noise, self.image_shape, stream, rows)

    def bits_per_dim(self, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the full variational bound of each image."""
        return bits_per_dim(self.diffusion, self.network.predict_noise, images, stream, rows)


class Denoising(DiffusionModel):
    """Minimises alpha L_simple; the weight matters through gradient clipping alone."""

    def __init__(self, config: spec.Denoising, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config.process, network, data)
        self.config = config

    def augmentations(self) -> dict[str, Augmentation]:
        """Return the one batch of a step, as it is unless the configuration says otherwise."""
        return {"clean": self.config.augmentation or Augmentation()}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the weighted denoising loss."""
        denoising = self.denoising_loss(step.batches["clean"], step.stream.at("diffusion"))
        yield Loss("network", self.config.alpha * denoising, {"denoising": denoising.detach()})
