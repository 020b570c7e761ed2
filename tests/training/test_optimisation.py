"""The learning rate against the values that the authors' log prints, and the optimiser's settings."""

import pytest
import torch

from harness.data.catalogue import CIFAR10
from harness.spec.optimisation import SGD, Adam, AdamW, StepDecay
from harness.spec.training import Training
from harness.training.optimisation import build_optimizer, learning_rate
from harness_papers.hybvit.runs import HYBVIT

TRAINING = HYBVIT.config.training
PER_EPOCH = TRAINING.iterations_per_epoch(CIFAR10)


def test_iterations_of_the_paper():
    assert PER_EPOCH == 1171
    assert TRAINING.iterations(CIFAR10) == HYBVIT.iterations == 585_500


@pytest.mark.parametrize(("epoch", "expected"), [(0, 1e-6), (1, 1.009e-4), (100, 9.19e-4), (300, 3.59e-4), (500, 1e-6)])
def test_rates_of_the_log(epoch, expected):
    assert learning_rate(TRAINING, PER_EPOCH, epoch * PER_EPOCH) == pytest.approx(expected, rel=2e-2)


def test_the_rate_peaks_where_the_warmup_ends():
    rates = [learning_rate(TRAINING, PER_EPOCH, step) for step in range(0, 585_500, 97)]
    assert max(rates) <= 1e-3
    assert learning_rate(TRAINING, PER_EPOCH, 10 * PER_EPOCH) == pytest.approx(1e-3)
    assert min(rates) >= 1e-6


def test_no_warmup_starts_at_the_top():
    assert learning_rate(TRAINING.but(warmup_epochs=0), PER_EPOCH, 0) == pytest.approx(1e-3)


def test_everything_is_decayed():
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4))
    optimizer = build_optimizer(network.parameters(), TRAINING.optimizer)
    (group,) = optimizer.param_groups
    assert len(group["params"]) == 4
    assert (group["weight_decay"], group["betas"], group["eps"]) == (0.05, (0.9, 0.999), 1e-8)


WRN = Training(
    epochs=200,
    passes_per_epoch=1,
    optimizer=SGD(learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
    schedule=StepDecay(milestones=(60, 120, 160), decay=0.2),
    clip_norm=None,
    ema_decay=None,
)


def test_the_rate_falls_at_each_milestone():
    assert WRN.iterations_per_epoch(CIFAR10) == 390
    rates = {epoch: learning_rate(WRN, 390, epoch * 390) for epoch in (0, 59, 60, 119, 120, 160, 199)}
    assert rates == pytest.approx({0: 0.1, 59: 0.1, 60: 0.02, 119: 0.02, 120: 0.004, 160: 8e-4, 199: 8e-4})
    assert learning_rate(WRN, 390, 60 * 390 - 1) == 0.1


def test_the_rate_rises_from_zero_over_iterations():
    warm = WRN.but(warmup_iterations=1000)
    assert [learning_rate(warm, 390, step) for step in (0, 250, 1000)] == pytest.approx([0, 0.025, 0.1])


def test_every_player_follows_the_schedule_from_a_rate_of_its_own():
    training = WRN.but(player_optimizers={"generator": Adam(learning_rate=6e-5, betas=(0, 0.9))})
    assert learning_rate(training, 390, 60 * 390, "generator") == pytest.approx(1.2e-5)
    assert learning_rate(training, 390, 60 * 390, "network") == pytest.approx(0.02)
    network = torch.nn.Linear(2, 2)
    assert isinstance(build_optimizer(network.parameters(), training.optimizer_of("generator")), torch.optim.Adam)


@pytest.mark.parametrize(("kind", "expected"), [(AdamW, 2 - 0.1 * 0.5 * 2), (Adam, 2 - 0.1)])
def test_weight_decay_is_a_part_of_the_gradient_or_decoupled(kind, expected):
    """Without a gradient of the loss AdamW shrinks weights in proportion; Adam's first step is as long as the rate."""
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer = build_optimizer([weight], kind(learning_rate=0.1, weight_decay=0.5))
    weight.grad = torch.zeros(1)
    optimizer.step()
    assert weight.item() == pytest.approx(expected)


def test_nesterov_momentum_looks_ahead():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = build_optimizer([weight], SGD(learning_rate=0.1, momentum=0.9, nesterov=True))
    for _ in range(2):
        weight.grad = torch.ones(1)
        optimizer.step()
    assert weight.item() == pytest.approx(1 - 0.1 * (1 + 0.9) - 0.1 * (1 + 0.9 * 1.9))
