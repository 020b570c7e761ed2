"""Optimiser states to named tensors and back, exactly, whatever the optimiser stores."""

import pytest
import torch
from foreign import Odd

from harness.errors import HarnessError
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.optimizer_state import OptimizerState


def weights(seed=0):
    return [torch.nn.Parameter(torch.randn(n, generator=torch.Generator().manual_seed(seed + n))) for n in (3, 5)]


def stepped(optimizer, parameters, steps, first=0):
    for step in range(first, first + steps):
        for parameter in parameters:
            parameter.grad = torch.randn(len(parameter), generator=torch.Generator().manual_seed(step))
        optimizer.step()


def stored(flat, folder):
    """Return the tensors after a round trip through a file."""
    save_checkpoint(folder, 1, flat)
    return newest_checkpoint(folder)[1]


def moved(parameters, others):
    with torch.no_grad():
        for parameter, other in zip(parameters, others, strict=True):
            parameter.copy_(other)


BUILDERS = {
    "odd": lambda parameters: Odd(parameters, 0.1, 1.5),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1, fused=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "adafactor": lambda parameters: torch.optim.Adafactor(parameters, lr=0.1),
    "asgd": lambda parameters: torch.optim.ASGD(parameters, lr=0.1),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_loaded_optimiser_goes_on_to_the_same_bits(kind, tmp_path):
    whole, part, rest = (weights() for _ in range(3))
    first, second, third = (BUILDERS[kind](parameters) for parameters in (whole, part, rest))
    states = [OptimizerState(optimizer) for optimizer in (first, second, third)]
    stepped(first, whole, 7)
    stepped(second, part, 4)
    stepped(third, rest, 9)  # it need not be new
    states[2].load(stored(states[1].flat(), tmp_path))
    moved(rest, part)
    stepped(third, rest, 3, first=4)
    assert all(torch.equal(a, b) for a, b in zip(whole, rest, strict=True))
    found, expected = states[2].flat(), states[0].flat()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_values_keep_their_types(tmp_path):
    parameters, others = weights(), weights(1)
    optimizer, other = (BUILDERS["odd"](each) for each in (parameters, others))
    state, restored = OptimizerState(optimizer), OptimizerState(other)
    stepped(optimizer, parameters, 3)
    optimizer.state[parameters[0]] |= {
        "nothing": None,
        "pair": (1, 1.0, True),
        "tree": {"a": [torch.tensor(3)], 7: "b"},
    }
    restored.load(stored(state.flat(), tmp_path))
    found, expected = other.state[others[0]], optimizer.state[parameters[0]]
    assert repr(found) == repr(expected)
    assert found["sum"].dtype == torch.float64 and found["count"].dtype == torch.int64
    assert other.param_groups[0]["steps"] == 3
    assert other.param_groups[0]["rule"] is torch.clamp


def test_options_that_came_later_are_gone_after_going_back():
    parameters = weights()
    optimizer = BUILDERS["odd"](parameters)
    state = OptimizerState(optimizer)
    start = state.flat()
    stepped(optimizer, parameters, 2)
    state.load(start)
    assert "steps" not in optimizer.param_groups[0]
    assert optimizer.param_groups[0]["gain"] == 1.5
    assert not optimizer.state


@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_an_ordinary_state_is_named_as_ever(kind):
    """Existing checkpoints use these names and must remain readable."""
    parameters = weights()
    optimizer = BUILDERS[kind](parameters)
    state = OptimizerState(optimizer)
    stepped(optimizer, parameters, 2)
    optimizer.param_groups[0]["lr"] = 0.05
    slots = {"adam": ("step", "exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}[kind]
    assert set(state.flat()) == {f"{index}.{slot}" for index in (0, 1) for slot in slots}


def test_what_no_checkpoint_can_hold_is_refused_on_one_line():
    parameters = weights()
    optimizer = BUILDERS["odd"](parameters)
    state = OptimizerState(optimizer)
    stepped(optimizer, parameters, 1)
    optimizer.state[parameters[1]]["generator"] = torch.Generator()
    with pytest.raises(HarnessError, match=r"^optimizer Odd has a Generator in its state: checkpoints hold [^\n]*$"):
        state.flat()
