"""The entropy of a linear generator, x = W z + sigma e, whose density is normal with covariance W W^T + sigma^2."""

import numpy as np
import pytest
import torch

from harness.methods.entropy import estimated_score, evidence_bound

SIGMA = torch.tensor(0.5)
WEIGHT = torch.tensor([[1.0, 0.3], [-0.4, 0.8], [0.2, 0.5]])


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_score_of_a_linear_generator():
    latents = draws(40, 2)
    images = latents @ WEIGHT.T + SIGMA * draws(40, 3, seed=1)
    expected = -images @ torch.linalg.inv(WEIGHT @ WEIGHT.T + SIGMA**2 * torch.eye(3))
    width = torch.full((2,), 0.6)  # the posterior's own is 0.45 and 0.5
    found = estimated_score(lambda z: z @ WEIGHT.T, SIGMA, width, images, latents, draws(4000, 40, 2, seed=2))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.12)
    naive = -(images - latents @ WEIGHT.T) / SIGMA**2
    assert (naive - expected).abs().mean() > 10 * (found - expected).abs().mean()


def test_the_gradient_of_the_entropy_by_the_score():
    """H = log(w^2 + sigma^2) / 2 + constant in one dimension, so dH/dw = w / (w^2 + sigma^2) = -E[s(x) z]."""
    weight = torch.tensor([[0.8]], requires_grad=True)
    latents = draws(20_000, 1)
    images = latents @ weight.T + SIGMA * draws(20_000, 1, seed=1)
    score = estimated_score(
        lambda z: z @ weight.T, SIGMA, torch.tensor([0.6]), images.detach(), latents, draws(100, 20_000, 1, seed=2)
    )
    assert not score.requires_grad
    (-(score * images).sum(dim=1).mean()).backward()
    assert weight.grad.item() == pytest.approx(0.8 / (0.8**2 + 0.5**2), rel=0.05)


def test_the_bound_is_best_at_the_width_of_the_posterior():
    """For g(z) = w z the bound's mean over z has its maximum at 1 / s^2 = 1 + w^2 / sigma^2."""
    weight, best = 2.0, (1 + 2.0**2 / SIGMA.item() ** 2) ** -0.5
    latents = draws(20_000, 1)
    images = weight * latents + SIGMA * draws(20_000, 1, seed=1)
    bounds = {}
    for factor in (0.7, 1.0, 1.4):
        log_width = torch.tensor([factor * best]).log().requires_grad_()
        bound = evidence_bound(lambda z: weight * z, SIGMA, log_width, images, latents, draws(20_000, 1, seed=3)).mean()
        (gradient,) = torch.autograd.grad(bound, log_width)
        bounds[factor] = bound.item(), gradient.item()
    assert bounds[1.0][0] > max(bounds[0.7][0], bounds[1.4][0])
    assert bounds[0.7][1] > 0.3
    assert bounds[1.0][1] == pytest.approx(0, abs=0.05)
    assert bounds[1.4][1] < -0.3


def test_images_of_several_dimensions_count_as_one_vector():
    latents, more = draws(3, 2), draws(7, 3, 2, seed=1)
    images = draws(3, 1, 2, 2, seed=2)
    weight = draws(4, 2, seed=3)
    flat = estimated_score(lambda z: z @ weight.T, SIGMA, torch.ones(2), images.flatten(1), latents, more)
    square = estimated_score(lambda z: (z @ weight.T).reshape(-1, 1, 2, 2), SIGMA, torch.ones(2), images, latents, more)
    torch.testing.assert_close(square.flatten(1), flat)


def test_score_and_bound_written_out_for_two_widths():
    """With sigma = 0.7, which square and double differently."""
    latents, more, images = draws(3, 2), draws(5, 3, 2, seed=1), draws(3, 1, 2, 2, seed=2)
    weight, widths = draws(4, 2, seed=3), torch.tensor([0.6, 0.3])

    def mean(z):
        return (z @ weight.T).reshape(-1, 1, 2, 2)

    scores = estimated_score(mean, torch.tensor(0.7), widths, images, latents, more)
    bounds = evidence_bound(mean, torch.tensor(0.7), widths.log(), images, latents, more[0])
    for i in range(3):
        total, score = 0.0, np.zeros(4)
        for k, d in enumerate(more[:, i].double().numpy()):
            z = latents[i].double().numpy() + np.array([0.6, 0.3]) * d
            residual = images[i].flatten().double().numpy() - weight.double().numpy() @ z
            log_joint = -(residual @ residual) / (2 * 0.49) - z @ z / 2
            importance = np.exp(log_joint + d @ d / 2)
            total, score = total + importance, score - importance * residual / 0.49
            if k == 0:
                assert bounds[i].item() == pytest.approx(log_joint + np.log(0.6) + np.log(0.3), rel=1e-5)
        np.testing.assert_allclose(scores[i].flatten(), score / total, rtol=1e-4)
