"""Samplers against exact solutions: for Gaussian data the optimal noise prediction and every path are known."""

import math
from itertools import pairwise

import pytest
import torch

from harness.config.processes import GaussianProcess
from harness.config.samplers import DDIM, Ancestral, DPMSolver, Sampler
from harness.data.catalogue import DIGITS
from harness.diffusion.gaussian import GaussianDiffusion
from harness.diffusion.samplers import LEAST_HALF_LOG_SNR, draw, evenly_denoised, spaced
from harness.diffusion.schedules import cosine_betas
from harness.errors import SpecError
from harness.randomness import Stream

SHAPE, SD = (1, 8, 8), 0.2
ORIGIN = Stream(0)
SAMPLERS = [Ancestral(), DDIM(steps=4), DDIM(steps=4, eta=1), DPMSolver(steps=4)]


def oracle(process, sd=SD):
    """The exact noise prediction for data from N(0, sd^2)."""

    def predict(x, t):
        abar = process.alphas_cumprod[t][:, None, None, None]
        return (1 - abar).sqrt() * x / (abar * sd**2 + 1 - abar)

    return predict


def samples(sampler, timesteps=1000, n=200, rows=None, stream=ORIGIN):
    process = GaussianDiffusion(GaussianProcess(timesteps=timesteps), DIGITS)
    return draw(sampler, process, oracle(process), SHAPE, stream, torch.arange(n) if rows is None else rows)


def test_ancestral_sampling_follows_the_chain_that_the_oracle_defines():
    """With the exact predictor every step is linear, so the variance of x_{t-1} follows from that of x_t."""
    process, variance = GaussianDiffusion(GaussianProcess(timesteps=50), DIGITS), 1.0
    predict, one = oracle(process), torch.ones(1, 1, 1, 1)
    for t in reversed(range(50)):
        at, abar = torch.tensor([t]), process.alphas_cumprod[t].item()
        x0 = (one - (1 - abar) ** 0.5 * predict(one, at)) / abar**0.5
        slope = process.posterior_mean(x0, one, at).item()
        variance = slope**2 * variance + (process.posterior_variance[t].item() if t else 0)
    drawn = samples(Ancestral(), timesteps=50, n=1500)
    assert drawn.mean().abs() < 0.003
    assert drawn.std().item() == pytest.approx(math.sqrt(variance), rel=0.01)
    assert drawn.abs().max() <= 1


def test_many_steps_reach_the_data_distribution():
    assert samples(Ancestral()).std().item() == pytest.approx(SD, rel=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.label or "ancestral")
def test_sample_i_does_not_depend_on_the_others(sampler):
    everything = samples(sampler, timesteps=10, n=20, stream=Stream(3))
    some = samples(sampler, timesteps=10, rows=torch.tensor([13, 4]), stream=Stream(3))
    torch.testing.assert_close(some, everything[[13, 4]], rtol=0, atol=0)
    assert not torch.equal(everything[0], everything[1])


def test_ddim_with_all_the_noise_and_all_the_steps_is_ancestral_sampling():
    drawn, expected = (samples(sampler, timesteps=60) for sampler in (DDIM(steps=60, eta=1), Ancestral()))
    torch.testing.assert_close(drawn, expected, rtol=1e-3, atol=2e-5)


def written_out(steps_of, predict, step, x):
    """Sample in float64 with `step(x, x0, noise, t, following)` between timesteps; x_0 is clamped."""
    abar = torch.cumprod(1 - cosine_betas(40), 0).tolist()

    def estimate(x, t):
        noise = predict(x.float(), torch.full((len(x),), t)).double()
        return ((x - math.sqrt(1 - abar[t]) * noise) / math.sqrt(abar[t])).clamp(-1, 1)

    for t, following in pairwise(steps_of):
        x = step(x, estimate(x, t), t, abar[t], abar[following])
    return estimate(x, steps_of[-1])


def bent(x, timesteps):
    """A prediction that is no exact one and follows no straight path."""
    return (2 * x).sin() + 0.01 * timesteps[:, None, None, None]


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_written_out(eta):
    """DDIM Eq. 12 with the standard deviation of Eq. 16, which `eta` multiplies."""
    process, rows = GaussianDiffusion(GaussianProcess(timesteps=40), DIGITS), torch.tensor([5, 2])

    def step(x, x0, t, before, after):
        sd = eta * math.sqrt((1 - after) / (1 - before)) * math.sqrt(1 - before / after)
        direction = (x - math.sqrt(before) * x0) / math.sqrt(1 - before)
        noise = ORIGIN.at(t).normal(rows, *SHAPE).double()
        return math.sqrt(after) * x0 + math.sqrt(1 - after - sd**2) * direction + sd * noise

    drawn = draw(DDIM(steps=4, eta=eta), process, bent, SHAPE, ORIGIN, rows)
    expected = written_out([39, 26, 13, 0], bent, step, ORIGIN.at("prior").normal(rows, *SHAPE).double())
    torch.testing.assert_close(drawn.double(), expected, rtol=1e-3, atol=1e-4)


def test_dpm_solver_written_out():
    """D = (1 + 1 / (2 r)) x0 - 1 / (2 r) x0_before with r = h_before / h, and x0 alone in the first step."""
    process, rows = GaussianDiffusion(GaussianProcess(timesteps=40), DIGITS), torch.tensor([5, 2])
    steps, history = evenly_denoised(6, process), []

    def log_snr(abar):
        return math.log(math.sqrt(abar) / math.sqrt(1 - abar))

    def step(x, x0, t, before, after):
        h, d = log_snr(after) - log_snr(before), x0
        if history:
            earlier, h_before = history[-1]
            half = 1 / (2 * (h_before / h))
            d = (1 + half) * x0 - half * earlier
        history.append((x0, h))
        return math.sqrt((1 - after) / (1 - before)) * x - math.sqrt(after) * (math.exp(-h) - 1) * d

    expected = written_out(steps, bent, step, ORIGIN.at("prior").normal(rows, *SHAPE).double())
    widths = [h for _, h in history]
    assert len(widths) == len(steps) - 1 > 3
    assert max(widths) > 1.3 * min(widths)
    drawn = draw(DPMSolver(steps=6), process, bent, SHAPE, ORIGIN, rows)
    torch.testing.assert_close(drawn.double(), expected, rtol=1e-3, atol=1e-4)


def errors(make, counts):
    """Return mean distances from the exact endpoints; an exact path keeps its deviation in units of sd."""
    exact = SD * ORIGIN.at("prior").normal(torch.arange(200), *SHAPE)
    return [(samples(make(steps)) - exact).abs().mean().item() for steps in counts]


def test_ddim_is_of_first_order_and_dpm_solver_of_second():
    first = errors(lambda steps: DDIM(steps=steps), (25, 50, 100))
    second = errors(lambda steps: DPMSolver(steps=steps), (25, 50, 100))
    assert second[0] < first[0] / 5
    assert all(coarse / 2.5 < fine < coarse / 1.6 for coarse, fine in pairwise(first))
    assert all(fine < coarse / 3.5 for coarse, fine in pairwise(second))


def test_timesteps_are_evenly_spaced_from_the_last_to_the_first():
    assert spaced(4, 10) == [9, 6, 3, 0]
    assert spaced(10, 10) == [*range(9, -1, -1)]
    steps = spaced(50, 1000)
    assert (len(set(steps)), steps[0], steps[-1]) == (50, 999, 0)


def test_solver_steps_denoise_evenly_and_avoid_pure_noise():
    process = GaussianDiffusion(GaussianProcess(timesteps=1000), DIGITS)
    steps = evenly_denoised(20, process)
    log_snr = (process.alphas_cumprod / (1 - process.alphas_cumprod)).double().log()[steps]
    assert (steps[0], steps[-1], len(steps)) == (995, 0, 20)
    torch.testing.assert_close(log_snr.diff(), torch.full((19,), log_snr.diff().mean()).double(), rtol=0.5, atol=0)
    assert evenly_denoised(10, GaussianDiffusion(GaussianProcess(timesteps=10), DIGITS)) == [9, 8, 7, 6, 3, 1, 0]


def test_solver_steps_begin_at_the_last_timestep_of_a_process_that_never_reaches_pure_noise():
    """The linear schedule ends above the limit; half of the way in log-SNR lies between its own two ends."""
    abar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    log_snr = (abar / (1 - abar)).log() / 2
    middle = (log_snr - (log_snr[0] + log_snr[-1]) / 2).abs().argmin().item()
    process = GaussianDiffusion(GaussianProcess(timesteps=1000, noise_schedule="linear"), DIGITS)
    assert log_snr[-1] > LEAST_HALF_LOG_SNR
    assert evenly_denoised(3, process) == [999, middle, 0]


@pytest.mark.parametrize("sampler", [DDIM(steps=11), DPMSolver(steps=11)], ids=lambda sampler: sampler.label)
def test_more_steps_than_timesteps_are_refused(sampler):
    with pytest.raises(SpecError, match="steps=11 exceeds the 10 timesteps of the diffusion"):
        samples(sampler, timesteps=10)


def test_only_the_full_chain_goes_without_a_label():
    assert [sampler.label for sampler in SAMPLERS[:2]] == ["", "DDIM, 4 steps"]
    assert all(kind().label for name, kind in Sampler.kinds.items() if name != "ancestral")
