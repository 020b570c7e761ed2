"""Radii in bounds around those of float64."""

import numpy as np
import pytest
from hostile_features import KINDS, normal

from harness.metrics import radii
from harness.metrics.distances import comparable
from harness.metrics.radii import Radii

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # float64 itself overflows on some kinds


@pytest.mark.parametrize("spare", [0, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_values_are_within_their_errors_of_float64(kind, spare, monkeypatch):
    monkeypatch.setattr(radii, "SPARE", spare)
    random = np.random.default_rng(0)
    (points,) = comparable(kind(random, 90, 200))
    found = Radii(points, 4)
    exact = found.exact(np.ones(90, dtype=bool))
    assert not (np.abs(found.values - exact) > found.errors).any()


def test_exact_radii_are_those_of_sorted_distances():
    (points,) = comparable(normal(np.random.default_rng(1), 50, 3))
    between = np.linalg.norm(points.stored[:, None].astype(np.float64) - points.stored, axis=2)
    exact = Radii(points, 4).exact(np.ones(50, dtype=bool))
    np.testing.assert_allclose(exact, np.sort(between, axis=1)[:, 4] ** 2, rtol=1e-9)


def test_ordinary_radii_have_the_precision_of_float64():
    (points,) = comparable(normal(np.random.default_rng(2), 300, 500))
    found = Radii(points, 4)
    assert (found.errors < 1e-10 * found.values).all()
