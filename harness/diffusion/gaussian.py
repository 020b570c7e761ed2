"""The Gaussian diffusion process: its training loss, samples and bound (HybViT §2.1, Eq. 1-15)."""

from functools import partial

from torch import Tensor

from harness.config.dataset import Images
from harness.config.processes import GaussianProcess
from harness.config.resolve import resolve
from harness.config.samplers import Sampler
from harness.diffusion import bound, samplers
from harness.diffusion.coefficients import Coefficients
from harness.diffusion.process import Predictor
from harness.randomness import Stream


class GaussianDiffusion(Coefficients):
    """The diffusion process of images in [-1, 1] with the intensity levels of `data`."""

    def __init__(self, config: GaussianProcess, data: Images) -> None:
        super().__init__(config)
        self._levels = data.levels
        self._error = partial(resolve(config.loss.implementation), config.loss)

    def training_loss(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return L_simple with a uniformly drawn timestep per image (HybViT Eq. 15)."""
        timesteps = stream.at("timestep").integers(rows, self.timesteps)
        noise = stream.at("noise").normal(rows, *images.shape[1:])
        return self.simple_loss(predict, images, timesteps, noise)

    def sample(
        self, sampler: Sampler, predict: Predictor, shape: tuple[int, ...], stream: Stream, rows: Tensor
    ) -> Tensor:
        """Return the samples with indices `rows`, `(len(rows), *shape)`."""
        return samplers.draw(sampler, self, predict, shape, stream, rows)

    def bits_per_dim(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the full variational bound of each image in bits per dimension, `(batch,)` (HybViT Eq. 5)."""
        return bound.bits_per_dim(self, predict, images, stream, rows, self._levels)

    def simple_loss(self, predict: Predictor, x0: Tensor, timesteps: Tensor, noise: Tensor) -> Tensor:
        """Return L_simple, the error of the predicted noise averaged over all elements (HybViT Eq. 15, 24)."""
        predicted = predict(self.corrupt(x0, timesteps, noise), timesteps)
        return self._error(noise - predicted).mean()
