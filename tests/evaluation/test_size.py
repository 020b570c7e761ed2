"""Size: the exact number of parameters, summed over all players."""

import pytest
import torch

from harness.config.evaluations import Size
from harness.evaluation import size
from harness.methods.base import Method


def test_size_is_that_of_the_closed_form(subject, config):
    findings = size.evaluate(Size(), subject)
    (found,) = findings.quantities.values()
    assert found.value * 1e6 == pytest.approx(config.network.parameters(config.data), abs=1e-3)
    assert found.n == 1
    assert findings.quantities.keys() == Size().labels(config.data).keys()


class Duel(Method):
    """Two players and a buffer, which is no parameter."""

    def augmentations(self):
        return {}

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1, bias=False)
        self.register_buffer("replay", torch.zeros(1000))

    def players(self):
        return {"first": self.first, "second": self.second}

    def initialise(self, stream):
        pass

    def training_step(self, step):
        yield from ()


def test_all_players_count(subject_of, config):
    findings = size.evaluate(Size(), subject_of(config, Duel()))
    assert findings.quantities["parameters_m"].value == pytest.approx((3 * 4 + 4 + 4) / 1e6)
