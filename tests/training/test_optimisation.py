"""Optimisers: their settings, one step of each, and errors."""

import pytest
import torch
from foreign import Bare

from harness.config.optimisation import SGD, Adam, AdamW
from harness.config.training import Training
from harness.errors import SpecError
from harness.training.optimisation import build_optimizer


def test_everything_is_decayed():
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4))
    optimizer = build_optimizer(network.parameters(), Training(epochs=10).optimizer)
    (group,) = optimizer.param_groups
    assert len(group["params"]) == 4
    assert (group["weight_decay"], group["betas"], group["eps"]) == (0.05, (0.9, 0.999), 1e-8)


def test_a_player_may_have_an_optimiser_of_its_own():
    training = Training(epochs=10, player_optimizers={"generator": Adam(learning_rate=6e-5, betas=(0, 0.9))})
    network = torch.nn.Linear(2, 2)
    assert isinstance(build_optimizer(network.parameters(), training.optimizer_of("generator")), torch.optim.Adam)
    assert isinstance(build_optimizer(network.parameters(), training.optimizer_of("network")), torch.optim.AdamW)


@pytest.mark.parametrize(("kind", "expected"), [(AdamW, 2 - 0.1 * 0.5 * 2), (Adam, 2 - 0.1)])
def test_weight_decay_is_a_part_of_the_gradient_or_decoupled(kind, expected):
    """With zero gradient AdamW shrinks weights in proportion; Adam's first step is as long as the learning rate."""
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


@pytest.mark.parametrize(
    ("implementation", "message"),
    [
        ("torch.optim:LBFGS", "optimizer 'foreign_bare': the step of torch.optim:LBFGS needs a closure"),
        ("torch.optim:Nothing", "'torch.optim:Nothing' cannot be loaded"),
        ("torch.nn:Linear", "optimizer 'foreign_bare': torch.nn:Linear: Linear.__init__() got an unexpected"),
        ("builtins:dict", "optimizer 'foreign_bare': builtins:dict is not a torch.optim.Optimizer"),
        ("torch.optim:SparseAdam", "optimizer 'foreign_bare': torch.optim:SparseAdam: optimizer got an empty"),
    ],
)
def test_what_cannot_be_used_is_refused_on_one_line(implementation, message, monkeypatch):
    monkeypatch.setattr(Bare, "implementation", implementation)
    parameters = [torch.nn.Parameter(torch.zeros(2))] * (not implementation.endswith("SparseAdam"))
    with pytest.raises(SpecError) as caught:
        build_optimizer(parameters, Bare(learning_rate=0.1))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
