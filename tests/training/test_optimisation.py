"""The learning rate against the values that the authors' log prints, and the optimiser's settings."""

import pytest
import torch

from experiments.hybvit.runs import HYBVIT
from harness.data.catalogue import CIFAR10
from harness.training.optimisation import build_optimizer, learning_rate

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
    optimizer = build_optimizer(network.parameters(), TRAINING)
    (group,) = optimizer.param_groups
    assert len(group["params"]) == 4
    assert (group["weight_decay"], group["betas"], group["eps"]) == (0.05, (0.9, 0.999), 1e-8)
