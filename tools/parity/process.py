"""The diffusion: coefficients, loss, samples and the variational bound, with the same noise."""

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.config.dataset import Images
from harness.config.networks import ViT
from harness.config.processes import GaussianProcess
from harness.config.samplers import Ancestral
from harness.diffusion.bound import bits_per_dim, prior_term, step_term
from harness.diffusion.gaussian import GaussianDiffusion
from harness.diffusion.samplers import draw
from harness.models.vit import VisionTransformer
from harness.randomness import Stream
from tools.parity.networks import pair
from tools.parity.official import Checkout, Overlay, queue_of
from tools.parity.table import Row, compare, precision

SMALL = ViT(dim=48, depth=2, heads=4, patch_size=4)
COEFFICIENTS = {
    "betas": "betas",
    "alphas_cumprod": "alphas_cumprod",
    "signal": "sqrt_alphas_cumprod",
    "noise": "sqrt_one_minus_alphas_cumprod",
    "inverse_signal": "sqrt_recip_alphas_cumprod",
    "inverse_snr_root": "sqrt_recipm1_alphas_cumprod",
    "posterior_x0": "posterior_mean_coef1",
    "posterior_xt": "posterior_mean_coef2",
    "posterior_variance": "posterior_variance",
    "posterior_log_variance": "posterior_log_variance_clipped",
}
"""The authors' names of our coefficients."""


def dataset(size: int) -> Images:
    """Return a dataset of images of this size."""
    return Images(name="parity", image_size=size, channels=3, num_classes=10, train_examples=256, test_examples=1)


def processes(checkout: Checkout, size: int) -> tuple[VisionTransformer, GaussianDiffusion, Any]:
    """Return a small network, our process, and the authors' process over their network with the same weights."""
    network, twin = pair(checkout, SMALL, dataset(size))
    process = checkout.module("diffusion.py").GaussianDiffusion(
        twin, image_size=size, channels=3, timesteps=1000, loss_type="l1"
    )
    return (
        network,
        GaussianDiffusion(GaussianProcess(timesteps=1000, noise_schedule="cosine", loss="l1"), dataset(size)),
        process,
    )


def coefficients(checkout: Checkout) -> Iterator[Row]:
    """Compare every coefficient of all 1,000 steps, each relative to itself.

    The first log-variance is not compared: theirs comes from a variance of zero, and is never used.
    """
    _, ours, theirs = processes(checkout, 32)
    for name, official in COEFFICIENTS.items():
        first = 1 if name == "posterior_log_variance" else 0
        a, b = getattr(ours, name)[first:].double(), getattr(theirs, official)[first:].double()
        ratios = torch.where(b == 0, 1 + a, a / b)
        yield compare(f"coefficients: {official}", "float32", ratios, torch.ones_like(ratios), 5e-7)


def loss(checkout: Checkout) -> Iterator[Row]:
    """Compare the denoising loss at 32 and at 96 pixels.

    Some revisions add 0.2 of the same loss after pooling above 32 pixels; it is subtracted (docs/parity.md).
    """
    for size in (32, 96):
        for name, tolerance in (("float32", 1e-4), ("float64", 1e-6)):
            with precision(name), torch.no_grad():
                network, ours, theirs = processes(checkout, size)
                rows = torch.arange(4)
                x0, noise = Stream("x0").normal(rows, 3, size, size), Stream("noise").normal(rows, 3, size, size)
                timesteps = torch.tensor([0, 100, 500, 999])
                mine = ours.simple_loss(network.predict_noise, x0, timesteps, noise)
                other = theirs.p_losses(x0, timesteps, noise)
                predicted = network.predict_noise(ours.corrupt(x0, timesteps, noise), timesteps)
                pooled = 0.2 * F.l1_loss(F.max_pool2d(predicted, 2), F.max_pool2d(noise, 2))
                has_pooled = abs(other - mine - pooled) < abs(other - mine)
                what = f"denoising loss at {size} pixels" + (", without its pooled part" if has_pooled else "")
                yield compare(what, name, mine, other - pooled if has_pooled else other, tolerance)


def samples(checkout: Checkout) -> Iterator[Row]:
    """Compare four samples after all 1,000 steps."""
    for name, tolerance in (("float32", 1e-3), ("float64", 1e-5)):
        with precision(name) as dtype, torch.no_grad():
            network, ours, theirs = processes(checkout, 16)
            stream, rows, shape = Stream("samples"), torch.arange(4), (3, 16, 16)
            noise = (stream.at(t).normal(rows, *shape) for t in reversed(range(1000)))
            prior = iter([stream.at("prior").normal(rows, *shape)])
            module = checkout.module("diffusion.py")
            module.torch = Overlay(torch, randn=queue_of(prior), randn_like=queue_of(noise))
            with quiet():
                other = theirs.sample(batch_size=4)
            module.torch = torch
            mine = draw(Ancestral(), ours, partial(widened, network, dtype), shape, stream, rows)
            yield compare("samples after 1,000 steps", name, (mine + 1) / 2, other, tolerance)


def widened(network: VisionTransformer, dtype: torch.dtype, x: Tensor, timesteps: Tensor) -> Tensor:
    """Return the predicted noise, computed in `dtype`; our coefficients are always float32."""
    return network.predict_noise(x.to(dtype), timesteps)


def bound(checkout: Checkout) -> Iterator[Row]:
    """Compare the bits per dimension of four 8-bit images: their sum, the prior term, and each of the 1,000 terms."""
    module = checkout.module("gdiffusion.py")
    for name, tolerance in (("float32", 1e-3), ("float64", 1e-5)):
        with precision(name), torch.no_grad():
            network, ours, theirs = processes(checkout, 16)
            stream, rows, shape = Stream("likelihood"), torch.arange(4), (3, 16, 16)
            levels = (Stream("images").uniform(rows, *shape) * 256).floor().to(torch.uint8)
            x0 = levels / 127.5 - 1
            noise = [stream.at(t).normal(rows, *shape) for t in range(1000)]
            kinds = module.ModelMeanType.EPSILON, module.ModelVarType.FIXED_SMALL, module.LossType.MSE
            process = module.GaussianDiffusion(
                betas=theirs.betas.cpu(), model_mean_type=kinds[0], model_var_type=kinds[1], loss_type=kinds[2]
            )
            module.th = Overlay(torch, randn_like=queue_of(reversed(noise)))
            other = process.calc_bpd_loop(theirs.denoise_fn, x0, clip_denoised=True)
            module.th = torch
            terms = [
                step_term(ours, network.predict_noise, x0, ours.corrupt(x0, t, noise[int(t[0])]), t)
                for t in (torch.full((4,), step) for step in reversed(range(1000)))
            ]
            total = bits_per_dim(ours, network.predict_noise, x0, stream, rows)
            yield compare("bits/dim", name, total, other["total_bpd"], tolerance)
            yield compare("terms of the bound, t = 999 to 0", name, torch.stack(terms, 1), other["vb"], tolerance)
            absolute = compare("", name, prior_term(ours, x0), other["prior_bpd"], tolerance).absolute
            # The prior term is only 1e-9 bits, so its difference is judged in bits, not relative to itself.
            yield compare("prior term, in bits", name, Tensor([absolute]), Tensor([0.0]), 1e-7)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the output of the authors' code."""
    with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield
