"""Langevin chains against known densities, and their random streams."""

import pytest
import torch

from harness.methods.langevin import gradient_of, langevin, proximal_langevin
from harness.randomness import Stream


def normal_density(sd):
    return lambda images: -(images.flatten(1).square().sum(dim=1)) / (2 * sd**2)


def test_chains_reach_the_moments_of_a_gaussian():
    """x' = (1 - h / s^2) x + sqrt(2 h) z has the variance 2 h / (1 - (1 - h / s^2)^2), near s^2."""
    sd, step, rows = 0.7, 0.05, torch.arange(5000)
    noise = (2 * step) ** 0.5
    start = torch.full((5000, 1, 2, 2), 3.0)
    ends = langevin(normal_density(sd), start, 120, step, noise, Stream(0), rows)
    expected = noise**2 / (1 - (1 - step / sd**2) ** 2)
    assert expected == pytest.approx(sd**2, rel=0.06)
    assert ends.var().item() == pytest.approx(expected, rel=0.05)
    assert ends.mean().item() == pytest.approx(0, abs=0.03)
    assert ends.pow(4).mean().item() == pytest.approx(3 * expected**2, rel=0.1)


def test_without_noise_a_chain_ascends_and_a_bound_clamps_it():
    start = torch.tensor([4.0, -0.5, -3.0]).reshape(3, 1, 1, 1)
    free, bound = (
        langevin(normal_density(1.0), start, 1, 0.1, 0.0, Stream(0), torch.arange(3), limit) for limit in (None, 1.0)
    )
    torch.testing.assert_close(free.flatten(), torch.tensor([3.6, -0.45, -2.7]))
    torch.testing.assert_close(bound.flatten(), torch.tensor([3.9, -0.45, -2.9]))


def test_the_noise_of_a_row_belongs_to_its_row():
    start = torch.zeros(6, 1, 2, 2)
    whole = langevin(normal_density(1.0), start, 3, 0.1, 0.5, Stream(1), torch.arange(6))
    part = langevin(normal_density(1.0), start[:2], 3, 0.1, 0.5, Stream(1), torch.tensor([4, 1]))
    torch.testing.assert_close(part, whole[[4, 1]], rtol=0, atol=0)
    assert not torch.equal(whole[0], whole[1])


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad])
def test_weights_get_no_gradient(mode):
    weight = torch.ones(1, requires_grad=True)
    with mode():
        gradient = gradient_of(lambda images: (weight * images.square()).flatten(1).sum(dim=1), torch.full((1, 2), 3.0))
    assert gradient.tolist() == [[6, 6]]
    assert not gradient.requires_grad
    assert weight.grad is None


def test_inner_steps_follow_the_first_layer():
    """f(x) = x^2 with log p = -sum(f^2) has p = -2 x0^2, and inner steps x + a clamp(2 p x) from x0."""
    seen = []

    def log_density(made):
        seen.append(made.detach().clone())
        return -made.square().flatten(1).sum(dim=1)

    start = torch.tensor([[0.9, -0.2], [-0.9, 0.7]]).reshape(2, 1, 1, 2)
    ends = proximal_langevin(torch.square, log_density, start, 2, 3, step_size=0.1, bound=1.0)
    expected = start.clone()
    for _ in range(2):
        slope = -2 * expected.square()
        for _ in range(3):
            expected = expected + 0.1 * (2 * slope * expected).clamp(-1, 1)
    torch.testing.assert_close(ends, expected)
    assert len(seen) == 2
    torch.testing.assert_close(seen[0], start.square())


@pytest.mark.parametrize("sign", [1, -1])
def test_proximal_chains_remain_within_the_range_of_images(sign):
    ends = proximal_langevin(
        lambda x: 5 * sign * x, lambda made: made.flatten(1).sum(dim=1), torch.zeros(1, 1, 1, 1), 3, 4, 0.2, 1.0
    )
    assert ends.item() == sign
