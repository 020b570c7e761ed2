"""Rectified flow (Liu et al. 2022): x_t = (1 - t) x_0 + t noise, and a network that predicts noise - x_0.

It is also a Gaussian diffusion with signal-to-noise ratio ((1 - t) / t)^2, so it has the same variational bound
(Kingma et al. 2021, Eq. 11-15). Time is discretised into `steps`; the network gets the index of the step, from 0.
"""

import math

import torch
from torch import Tensor, nn

from harness.config.dataset import Images
from harness.config.samplers import Sampler
from harness.diffusion.process import Predictor
from harness.errors import SpecError
from harness.randomness import Stream
from outside_paper import diffusion as spec


class RectifiedFlow(nn.Module):
    """Implements `DiffusionProcess`."""

    def __init__(self, config: spec.RectifiedFlow, data: Images) -> None:
        super().__init__()
        self.steps = config.steps
        self._least = 0.5 / config.steps  # at time 0 there is no noise, and the SNR is infinite
        self._levels = data.levels

    def training_loss(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the squared error of the predicted direction, at a uniformly drawn time per image."""
        indices = stream.at("time").integers(rows, self.steps)
        noise = stream.at("noise").normal(rows, *images.shape[1:])
        return (predict(self._mixed(images, noise, indices), indices) - (noise - images)).square().mean()

    def sample(
        self, sampler: Sampler, predict: Predictor, shape: tuple[int, ...], stream: Stream, rows: Tensor
    ) -> Tensor:
        """Draw samples by Euler's method.

        Raises `SpecError` for samplers of Gaussian processes.
        """
        if not sampler.full:
            raise SpecError(f"sampler '{sampler.kind}' is for Gaussian processes: a rectified flow takes its own steps")
        x = stream.at("prior").normal(rows, *shape)
        for index in reversed(range(self.steps)):
            x = x - predict(x, torch.full_like(rows, index)) / self.steps
        return x.clamp(-1, 1)

    def bits_per_dim(self, predict: Predictor, images: Tensor, stream: Stream, rows: Tensor) -> Tensor:
        """Return the bound of each image `(batch,)`: one term per step plus the decoder; the prior term is zero."""
        noise = stream.at("decoder").normal(rows, *images.shape[1:])
        nats = self._decoder((1 - self._least) * images + self._least * noise, images)
        for index in range(self.steps):
            indices = torch.full_like(rows, index)
            x = self._mixed(images, stream.at(index).normal(rows, *images.shape[1:]), indices)
            error = x - self._times(indices) * predict(x, indices) - images
            before, after = self._ratio(index / self.steps), self._ratio((index + 1) / self.steps)
            nats = nats + (before - after) / 2 * error.square().flatten(1).mean(1)
        return nats / math.log(2)

    def _decoder(self, latent: Tensor, images: Tensor) -> Tensor:
        """Return the mean negative log-likelihood of the true levels given the first latent."""
        levels = torch.linspace(-1, 1, self._levels, device=images.device)
        log_p = (-((latent[..., None] / (1 - self._least) - levels) ** 2) * self._ratio(0.0) / 2).log_softmax(-1)
        true = ((images + 1) / 2 * (self._levels - 1)).round().long()
        return -log_p.gather(-1, true[..., None])[..., 0].flatten(1).mean(1)

    def _mixed(self, images: Tensor, noise: Tensor, indices: Tensor) -> Tensor:
        time = self._times(indices)
        return (1 - time) * images + time * noise

    def _times(self, indices: Tensor) -> Tensor:
        return ((indices + 1) / self.steps)[:, None, None, None]

    def _ratio(self, time: float) -> float:
        return ((1 - max(time, self._least)) / max(time, self._least)) ** 2
