"""Noise schedules against the published values."""

import pytest
import torch

from harness.diffusion.schedules import cosine_betas, linear_betas


def test_cosine_schedule_has_the_published_values():
    betas = cosine_betas(1000)
    assert betas.dtype == torch.float64
    expected = {0: 4.1284e-5, 1: 4.6142e-5, 500: 3.1557e-3, 998: 0.7500, 999: 0.999}
    for t, value in expected.items():
        assert betas[t].item() == pytest.approx(value, rel=2e-4)
    alphas_cumprod = torch.cumprod(1 - betas, dim=0)
    expected = {0: 0.999959, 499: 0.49384, 998: 2.429e-6, 999: 2.429e-9}
    for t, value in expected.items():
        assert alphas_cumprod[t].item() == pytest.approx(value, rel=5e-4)


def test_linear_schedule_is_that_of_ddpm():
    betas = linear_betas(1000)
    assert betas[0].item() == pytest.approx(1e-4, rel=1e-12)
    assert betas[-1].item() == pytest.approx(0.02, rel=1e-12)
    assert betas.diff().std() < 1e-12


def test_a_short_linear_schedule_is_scaled_up_and_clipped():
    assert linear_betas(100)[[0, 50, 99]].tolist() == pytest.approx([1e-3, 1e-3 + 50 / 99 * 0.199, 0.2])
    assert linear_betas(25)[[0, -1]].tolist() == pytest.approx([4e-3, 0.8])
    assert linear_betas(2).tolist() == pytest.approx([0.05, 0.999])


@pytest.mark.parametrize("timesteps", [1, 2, 25, 50, 1000])
@pytest.mark.parametrize("schedule", [cosine_betas, linear_betas])
def test_schedules_are_valid_at_every_length(schedule, timesteps):
    betas = schedule(timesteps)
    assert len(betas) == timesteps
    assert ((betas > 0) & (betas < 1)).all()


@pytest.mark.parametrize("schedule", [cosine_betas, linear_betas])
def test_shorter_schedules_end_in_noise_too(schedule):
    assert torch.cumprod(1 - schedule(25), dim=0)[-1] < 2e-3
