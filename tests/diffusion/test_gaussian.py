"""The Gaussian process against Bayes' rule, and the bound against an exact solution."""

import math

import pytest
import torch

from harness.config.processes import GaussianProcess
from harness.data.catalogue import DIGITS
from harness.diffusion.bound import _log_likelihood_of_bin, bits_per_dim, prior_term
from harness.diffusion.gaussian import GaussianDiffusion
from harness.diffusion.schedules import cosine_betas, linear_betas
from harness.randomness import Stream


def diffusion(**changes):
    return GaussianDiffusion(GaussianProcess(**changes), DIGITS)


def test_corrupt_has_the_marginal_of_the_chain():
    """Apply q(x_t | x_{t-1}) step by step; mean and variance must be those of q(x_t | x_0)."""
    process = diffusion(timesteps=20)
    betas, signal, variance = cosine_betas(20), 1.0, 0.0
    for t in range(20):
        signal *= math.sqrt(1 - betas[t])
        variance = (1 - betas[t].item()) * variance + betas[t].item()
        ones, at = torch.ones(1, 1, 1, 1), torch.tensor([t])
        assert process.corrupt(ones, at, 0 * ones).item() == pytest.approx(signal, rel=1e-5)
        assert process.corrupt(0 * ones, at, ones).item() ** 2 == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("t", [1, 7, 19])
def test_posterior_is_that_of_bayes(t):
    """q(x_{t-1} | x_t, x_0) is proportional to q(x_t | x_{t-1}) q(x_{t-1} | x_0): multiply both on a grid."""
    process, betas = diffusion(timesteps=20), cosine_betas(20)
    before = torch.cumprod(1 - betas, 0)[t - 1]
    x0, xt, grid = 0.7, -0.4, torch.linspace(-8, 8, 400_001, dtype=torch.float64)
    log_density = -((xt - (1 - betas[t]).sqrt() * grid) ** 2) / (2 * betas[t])
    log_density -= (grid - before.sqrt() * x0) ** 2 / (2 * (1 - before))
    weights = torch.softmax(log_density, 0)
    mean = (weights * grid).sum()
    variance = (weights * (grid - mean) ** 2).sum()
    image = torch.ones(1, 1, 1, 1)
    computed = process.posterior_mean(x0 * image, xt * image, torch.tensor([t])).item()
    assert computed == pytest.approx(mean.item(), rel=1e-4)
    assert process.posterior_variance[t].item() == pytest.approx(variance.item(), rel=1e-3)


def test_recover_inverts_corrupt_and_clamps():
    process = diffusion(timesteps=50)
    generator = torch.Generator().manual_seed(0)
    x0, noise = (
        torch.rand(8, 1, 4, 4, generator=generator) * 2 - 1,
        torch.randn(8, 1, 4, 4, generator=generator),
    )
    t = torch.arange(8) * 5
    recovered = process.recover(process.corrupt(x0, t, noise), t, noise)
    torch.testing.assert_close(recovered, x0, rtol=1e-3, atol=1e-4)
    assert process.recover(10 * x0, t, noise).abs().max() <= 1


@pytest.mark.parametrize(("loss", "expected"), [("l1", 2.0), ("l2", 5.0)])
def test_losses_average_over_all_elements(loss, expected):
    """The prediction is off by -3 in one of two channels, and by 1 in the other."""
    process = diffusion(timesteps=5, loss=loss)
    noise, off = torch.ones(3, 2, 4, 4), torch.tensor([-3.0, 1.0])[:, None, None]
    value = process.simple_loss(lambda x, t: noise + off, torch.zeros_like(noise), torch.tensor([0, 2, 4]), noise)
    assert value.item() == pytest.approx(expected)


def test_training_draws_every_timestep_equally_often_and_new_noise_for_every_image():
    process, seen = diffusion(timesteps=4), []

    def predict(noisy, timesteps):
        seen.append((noisy, timesteps))
        return torch.zeros_like(noisy)

    images = torch.full((4000, 1, 2, 2), 0.7)
    loss = process.training_loss(predict, images, Stream(3), torch.arange(4000))
    ((noisy, timesteps),) = seen
    assert timesteps.bincount().tolist() == pytest.approx([1000] * 4, abs=120)
    abar = torch.cumprod(1 - cosine_betas(4), 0)[timesteps][:, None, None, None]
    noise = (noisy - abar.sqrt() * 0.7) / (1 - abar).sqrt()
    assert loss.item() == pytest.approx(noise.abs().mean().item(), rel=1e-4)
    assert loss.item() == pytest.approx(math.sqrt(2 / math.pi), rel=0.02)
    assert torch.corrcoef(noise.flatten(1).T).fill_diagonal_(0).abs().max() < 0.06
    assert torch.corrcoef(torch.stack([noise[:-1].flatten(), noise[1:].flatten()]))[0, 1].abs() < 0.03


def gaussian_oracle(process, sd):
    """The exact noise prediction for data from N(0, sd^2)."""

    def predict(x, t):
        abar = process.alphas_cumprod[t][:, None, None, None]
        return (1 - abar).sqrt() * x / (abar * sd**2 + 1 - abar)

    return predict


def slow_bound(betas, predict, x0, noises, levels):
    """The variational bound of one image in plain Python floats; the normal CDF uses tanh, not erf."""
    alphas_cumprod, total, T = torch.cumprod(1 - betas, 0).tolist(), 0.0, len(betas)
    values = x0.flatten().tolist()
    betas = betas.tolist()

    def posterior_variance(t):
        before = alphas_cumprod[t - 1] if t else 1.0
        return betas[t] * (1 - before) / (1 - alphas_cumprod[t])

    def cdf(x):
        return 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))

    for t in range(T):
        abar, before = alphas_cumprod[t], alphas_cumprod[t - 1] if t else 1.0
        xt = [math.sqrt(abar) * v + math.sqrt(1 - abar) * e for v, e in zip(values, noises[t].flatten().tolist())]
        shaped = torch.tensor(xt).reshape(x0.shape)[None]
        eps = predict(shaped, torch.tensor([t])).flatten().tolist()
        variance = posterior_variance(t) if t else posterior_variance(1)
        for value, noisy, e in zip(values, xt, eps):
            estimate = min(max(noisy / math.sqrt(abar) - math.sqrt(1 / abar - 1) * e, -1), 1)
            c1, c2 = (
                betas[t] * math.sqrt(before) / (1 - abar),
                (1 - before) * math.sqrt(1 - betas[t]) / (1 - abar),
            )
            mean, true_mean = c1 * estimate + c2 * noisy, c1 * value + c2 * noisy
            if t:
                total += (true_mean - mean) ** 2 / (2 * variance)
                continue
            scale = math.sqrt(variance)
            half = 1 / (levels - 1)
            upper, lower = cdf((value - mean + half) / scale), cdf((value - mean - half) / scale)
            p = upper if value < -0.999 else 1 - lower if value > 0.999 else upper - lower
            total -= math.log(max(p, 1e-12))
    abar = alphas_cumprod[-1]
    total += sum(0.5 * (abar * v * v + (1 - abar) - 1 - math.log(1 - abar)) for v in values)
    return total / len(values) / math.log(2)


@pytest.mark.parametrize("levels", [17, 256])
@pytest.mark.parametrize("noise_schedule", ["cosine", "linear"])
def test_bits_per_dim_equals_an_independent_sum_of_the_terms(noise_schedule, levels):
    betas = {"cosine": cosine_betas, "linear": linear_betas}
    config = GaussianProcess(timesteps=12, noise_schedule=noise_schedule)
    process = GaussianDiffusion(config, DIGITS.but(levels=levels))
    predict = gaussian_oracle(process, 0.5)
    counts = torch.tensor([0, 255, 17, 128, 200, 64, 3, 254] * 2).reshape(1, 4, 4).repeat(2, 1, 1, 1)
    x0 = (counts * (levels - 1) // 255) * 2 / (levels - 1) - 1
    stream, rows = Stream(5), torch.tensor([7, 2])
    computed = process.bits_per_dim(predict, x0, stream, rows)
    noises = [stream.at(t).normal(rows, 1, 4, 4) for t in range(12)]
    for i in range(2):
        expected = slow_bound(betas[noise_schedule](12), predict, x0[i], [n[i] for n in noises], levels)
        assert computed[i].item() == pytest.approx(expected, rel=2e-3)
    whole = bits_per_dim(process, predict, x0, stream, rows)
    assert torch.equal(whole, computed) == (levels == 256)


@pytest.mark.parametrize("levels", [4, 256])
def test_the_bins_of_all_levels_share_the_whole_probability(levels):
    x0 = torch.linspace(-1, 1, levels, dtype=torch.float64)
    for mean, scale in ((0.0, 0.5), (-0.97, 0.1), (0.3, 4.0)):
        wide = torch.full_like(x0, scale).log()
        found = _log_likelihood_of_bin(x0, torch.full_like(x0, mean), wide, levels).exp().sum()
        assert found.item() == pytest.approx(1, abs=1e-6)


def test_prior_term_vanishes_for_a_long_cosine_schedule():
    assert prior_term(diffusion(timesteps=1000), torch.ones(1, 1, 2, 2)).item() < 1e-6


def test_the_prior_term_is_the_divergence_of_two_normal_distributions():
    """After a chain that keeps much of the signal."""
    process = diffusion(timesteps=3)
    process.alphas_cumprod[-1] = 0.4
    x0 = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    last = torch.distributions.Normal(math.sqrt(0.4) * x0, math.sqrt(0.6))
    nats = torch.distributions.kl_divergence(last, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(prior_term(process, x0), nats.mean(dim=(1, 2, 3)) / math.log(2))


def test_a_level_without_any_probability_costs_the_log_of_1e_12():
    x0 = torch.tensor([0.5, -1.0, 1.0], dtype=torch.float64)
    found = _log_likelihood_of_bin(x0, torch.tensor([-0.5, 1.0, -1.0]).double(), torch.tensor(0.01).log(), 256)
    assert found.tolist() == pytest.approx([math.log(1e-12)] * 3)


def test_coefficients_are_no_part_of_a_checkpoint():
    assert not diffusion(timesteps=5).state_dict()
