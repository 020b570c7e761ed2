"""Coefficients of a discrete Gaussian diffusion: forward marginals and posteriors (HybViT §2.1, Eq. 1-12)."""

import torch
from torch import Tensor, nn

from harness.config.processes import GaussianProcess
from harness.config.resolve import resolve


class Coefficients(nn.Module):
    """Coefficients of a discrete Gaussian diffusion, computed in float64 and stored in float32.

    Timesteps `(batch,)` are int64 from 0 to `timesteps - 1`; x_t at t = 0 is already slightly noisy. Images are
    `(batch, channels, size, size)` in [-1, 1].
    """

    betas: Tensor
    alphas_cumprod: Tensor
    signal: Tensor
    noise: Tensor
    inverse_signal: Tensor
    inverse_snr_root: Tensor
    posterior_x0: Tensor
    posterior_xt: Tensor
    posterior_variance: Tensor
    posterior_log_variance: Tensor

    def __init__(self, config: GaussianProcess) -> None:
        super().__init__()
        self.timesteps = config.timesteps
        betas = resolve(config.noise_schedule.implementation)(config.noise_schedule, config.timesteps)
        alphas_cumprod = torch.cumprod(1 - betas, dim=0)  # abar_t, defined above HybViT Eq. 9
        previous = torch.cat([alphas_cumprod.new_ones(1), alphas_cumprod[:-1]])
        variance = betas * (1 - previous) / (1 - alphas_cumprod)  # HybViT Eq. 13
        coefficients = {
            "betas": betas,
            "alphas_cumprod": alphas_cumprod,
            "signal": alphas_cumprod.sqrt(),
            "noise": (1 - alphas_cumprod).sqrt(),
            "inverse_signal": alphas_cumprod.rsqrt(),
            "inverse_snr_root": (1 / alphas_cumprod - 1).sqrt(),
            "posterior_x0": betas * previous.sqrt() / (1 - alphas_cumprod),  # HybViT Eq. 12
            "posterior_xt": (1 - previous) * (1 - betas).sqrt() / (1 - alphas_cumprod),  # HybViT Eq. 12
            "posterior_variance": variance,
            # The variance is 0 at t = 0: use the one at t = 1, as in the code of Nichol and Dhariwal.
            "posterior_log_variance": torch.cat([variance[1:2], variance[1:]]).clamp(min=1e-20).log(),
        }
        for name, values in coefficients.items():
            self.register_buffer(name, values.to(torch.float32), persistent=False)

    def corrupt(self, x0: Tensor, timesteps: Tensor, noise: Tensor) -> Tensor:
        """Return x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) noise, a sample of q(x_t | x_0) (HybViT Eq. 10)."""
        return _at(self.signal, timesteps) * x0 + _at(self.noise, timesteps) * noise

    def recover(self, xt: Tensor, timesteps: Tensor, predicted_noise: Tensor) -> Tensor:
        """Return the x_0 implied by the predicted noise, HybViT Eq. 10 solved for x_0, clamped to [-1, 1]."""
        x0 = _at(self.inverse_signal, timesteps) * xt - _at(self.inverse_snr_root, timesteps) * predicted_noise
        return x0.clamp(-1, 1)

    def posterior_mean(self, x0: Tensor, xt: Tensor, timesteps: Tensor) -> Tensor:
        """Return the mean of q(x_{t-1} | x_t, x_0) (HybViT Eq. 11-12)."""
        return _at(self.posterior_x0, timesteps) * x0 + _at(self.posterior_xt, timesteps) * xt


def _at(coefficients: Tensor, timesteps: Tensor) -> Tensor:
    """Gather one coefficient per image, shaped `(batch, 1, 1, 1)`."""
    return coefficients[timesteps][:, None, None, None]
