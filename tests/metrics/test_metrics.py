"""Fréchet distance and class score against independent implementations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from harness.metrics.class_score import class_score
from harness.metrics.frechet import ROWS, Moments, frechet_distance, moments

RANDOM = np.random.default_rng(0)


def by_sqrtm(a, b):
    root = sqrtm(a.covariance @ b.covariance)
    return ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * root.real)


@given(seed=st.integers(0, 10_000), d=st.integers(1, 24), n=st.integers(30, 200))
@settings(max_examples=40, deadline=None)
def test_distance_equals_the_matrix_square_root_form(seed, d, n):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(d, d))
    a = moments(random.normal(size=(n, d)) @ mixing)
    b = moments(random.normal(size=(n + 5, d)) * 2 + 1)
    assert frechet_distance(a, b) == pytest.approx(by_sqrtm(a, b), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("rank", [1, 3, 9])
def test_distance_of_rank_deficient_statistics(rank):
    """Fewer directions than dimensions: perturb slightly, then take the matrix square root."""
    a = moments(RANDOM.normal(size=(100, rank)) @ RANDOM.normal(size=(rank, 16)))
    b = moments(RANDOM.normal(size=(100, rank)) @ RANDOM.normal(size=(rank, 16)))
    assert np.linalg.matrix_rank(a.covariance) == rank
    shifted = [Moments(m.n, m.mean, m.scatter + 1e-10 * (m.n - 1) * np.eye(16)) for m in (a, b)]
    assert frechet_distance(a, b) == pytest.approx(by_sqrtm(*shifted), rel=1e-3)


def test_distance_with_few_samples_is_finite_and_not_negative():
    a, b = (moments(RANDOM.normal(size=(5, 32))) for _ in range(2))
    assert 0 <= frechet_distance(a, b) < 1000


def test_distance_of_known_gaussians():
    a = moments(RANDOM.normal(size=(50, 3)))
    shifted = Moments(a.n, a.mean + np.array([3, 0, 4]), a.scatter)
    assert frechet_distance(a, shifted) == pytest.approx(25)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-12)
    stretched = Moments(a.n, a.mean, 4 * a.scatter)
    assert frechet_distance(a, stretched) == pytest.approx(np.trace(a.covariance))


def test_distance_is_symmetric_and_computed_in_float64():
    a, b = (moments((RANDOM.normal(size=(60, 8)) * 1e-3 + 1000).astype(np.float32)) for _ in range(2))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)
    assert a.covariance.dtype == np.float64


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 299), max_size=7, unique=True))
@settings(max_examples=40, deadline=None)
def test_moments_of_parts_add_up(seed, cuts):
    """For any split into blocks or ranks, with features like Inception's: sparse and non-negative."""
    random = np.random.default_rng(seed)
    features = (random.normal(size=(300, 64)).clip(min=0) @ random.normal(size=(64, 64)) + 5).astype(np.float32)
    reference = moments(random.normal(size=(200, 64)).astype(np.float32))
    whole = moments(features)
    parts = [moments(part) for part in np.split(features, sorted(cuts))]
    merged = sum(parts[1:], start=parts[0])
    assert merged.n == 300
    covariance = np.cov(features.astype(np.float64), rowvar=False)
    np.testing.assert_allclose(merged.covariance, covariance, rtol=1e-9, atol=1e-9)
    assert frechet_distance(merged, reference) == pytest.approx(frechet_distance(whole, reference), rel=1e-9)


def test_moments_of_more_rows_than_a_block():
    features = RANDOM.normal(size=(2 * ROWS + 17, 5)).astype(np.float32) + 100
    found = moments(features)
    np.testing.assert_allclose(found.mean, features.astype(np.float64).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features.astype(np.float64), rowvar=False), rtol=1e-9)


def test_class_score_of_the_two_extremes():
    certain = np.eye(10)[np.arange(1000) % 10] * 1000
    assert class_score(certain, splits=10) == (pytest.approx(10), pytest.approx(0, abs=1e-9))
    assert class_score(np.zeros((1000, 10)), splits=10)[0] == pytest.approx(1)


def test_class_score_equals_a_direct_sum():
    logits = RANDOM.normal(size=(92, 5)) * 2
    scores = []
    for part in (logits[:30], logits[30:61], logits[61:]):  # thirds of 92 end at 30.67 and 61.33
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        scores.append(np.exp(np.mean([np.sum(row * np.log(row / p.mean(0))) for row in p])))
    mean, sd = class_score(logits, splits=3)
    assert mean == pytest.approx(np.mean(scores))
    assert sd == pytest.approx(np.std(scores))
