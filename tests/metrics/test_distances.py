"""Distances in float32 and of pairs stay within their bounds of those in float64."""

import numpy as np
import pytest
from hostile_features import KINDS, normal

from harness.metrics.distances import (
    Points,
    comparable,
    distances_of_pairs,
    float32_block,
    float32_errors,
    float64_block,
)

ALL = slice(None)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # float64 itself overflows on some kinds


@pytest.mark.parametrize("d", [1, 40, 700])
@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_within_its_error_of_float64(kind, d):
    random = np.random.default_rng(d)
    a, b = comparable(kind(random, 60, d), kind(random, 50, d))
    found = float32_block(a, b, ALL, ALL).astype(np.float64) / a.scale**2
    difference = np.abs(found - float64_block(a, b, ALL))
    assert not (difference > float32_errors(a, b)[:, None] / a.scale**2).any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_within_its_error_of_float64(kind):
    random = np.random.default_rng(3)
    a, b = comparable(kind(random, 30, 60), kind(random, 20, 60))
    i, j = (places.ravel() for places in np.indices((30, 20)))
    found, errors = distances_of_pairs(a, b, i, j)
    assert not (np.abs(found - float64_block(a, b, ALL).ravel()) > errors).any()


def test_equal_terms_that_all_round_in_one_direction_are_within_the_error():
    """A sum of equal terms drifts from the true sum in proportion to its length."""
    d = 4096
    rows = np.random.default_rng(0).uniform(0.5, 1, size=(100, 1)).astype(np.float32)
    copies = np.repeat(rows, d, axis=1)
    lengths = np.linalg.norm(copies.astype(np.float64), axis=1)
    points = Points(copies, lengths, copies, lengths, scale=1.0)
    difference = np.abs(float32_block(points, points, ALL, ALL) - float64_block(points, points, ALL))
    assert (difference <= float32_errors(points, points)[:, None]).all()
    assert difference.max() > 2.0**-19 * lengths.max() ** 2  # else this test would show nothing about long sums


def test_products_that_vanish_in_float32_are_within_the_error():
    copies = 1e-25 * normal(np.random.default_rng(1), 40, 30)
    lengths = np.linalg.norm(copies.astype(np.float64), axis=1)
    points = Points(copies, lengths, copies, lengths, scale=1.0)
    difference = np.abs(float32_block(points, points, ALL, ALL) - float64_block(points, points, ALL))
    assert (difference <= float32_errors(points, points)[:, None]).all()


def test_sums_too_long_for_a_bound_have_none():
    sets = comparable(*(normal(np.random.default_rng(seed), 3, 100_000) for seed in (0, 1)))
    assert np.isinf(float32_errors(*sets)).all()


def test_the_error_of_ordinary_features_is_small():
    """An infinite error would be right too, and useless."""
    a, b = comparable(*(normal(np.random.default_rng(seed), 50, 2048) for seed in (0, 1)))
    assert (float32_errors(a, b) < 1e-3 * float32_block(a, b, ALL, ALL).min()).all()


@pytest.mark.parametrize("factor", [1e-60, 1e-30, 1e30, 1e60])
def test_no_scale_widens_the_error(factor):
    features = [normal(np.random.default_rng(seed), 50, 100).astype(np.float64) for seed in (0, 1)]
    ordinary, scaled = comparable(*features), comparable(*(part * factor for part in features))
    relative = [float32_errors(*sets) / float32_block(*sets, ALL, ALL).min() for sets in (ordinary, scaled)]
    np.testing.assert_allclose(relative[1], relative[0], rtol=0.01)


def test_a_common_offset_hardly_widens_the_error():
    features = [normal(np.random.default_rng(seed), 50, 100).astype(np.float64) for seed in (0, 1)]
    ordinary, shifted = comparable(*features), comparable(*(part + 1000 for part in features))
    relative = [float32_errors(*sets) / float32_block(*sets, ALL, ALL).min() for sets in (ordinary, shifted)]
    np.testing.assert_allclose(relative[1], relative[0], rtol=0.1)
