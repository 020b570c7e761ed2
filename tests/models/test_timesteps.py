"""Timestep embeddings in Python floats."""

import math

import pytest
import torch

from harness.models.timesteps import Sinusoid


@pytest.mark.parametrize(
    ("dim", "frequencies"), [(8, [1, 10 ** (-4 / 3), 10 ** (-8 / 3), 1e-4]), (5, [1, 1e-4]), (3, [1]), (2, [1])]
)
def test_sines_precede_cosines_of_frequencies_from_1_to_1e_4(dim, frequencies):
    """An odd width loses its last channel."""
    sinusoid = Sinusoid(dim)
    found = sinusoid(torch.tensor([0, 3, 999]))
    assert found.shape == (3, sinusoid.width)
    assert not sinusoid.state_dict()
    for row, t in zip(found.tolist(), (0, 3, 999), strict=True):
        expected = [f(t * frequency) for f in (math.sin, math.cos) for frequency in frequencies]
        assert row == pytest.approx(expected, abs=1e-4)
