"""The two forms of the Fréchet distance: by Cholesky with full rank, by eigenvectors without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from harness.metrics import frechet, threads
from harness.metrics.frechet import Moments, frechet_distance, moments


def by_eigenvectors(a, b):
    """The form for any rank, written as it was before there was another."""
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ b.covariance @ root)
    trace = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(cross.clip(min=0)).sum()
    return max(float(((a.mean - b.mean) ** 2).sum() + trace), 0.0)


def spectrum(random, n, d):
    """Standard deviations over up to nine decades, in random directions."""
    turned = np.linalg.qr(random.normal(size=(d, d)))[0]
    return random.normal(size=(n, d)) * np.logspace(0, -random.uniform(0, 9), d) @ turned


def knee(random, n, d):
    """Half of the directions are nearly without variance."""
    half = random.normal(size=(n, d // 2)) @ random.normal(size=(d // 2, d))
    return half + 10 ** random.uniform(-12, -2) * random.normal(size=(n, d))


def one_small(random, n, d):
    """A single direction is nearly without variance."""
    direction = np.linalg.qr(random.normal(size=(d, d)))[0][:1]
    features = random.normal(size=(n, d))
    return features - (1 - 10 ** random.uniform(-9, -1)) * (features @ direction.T) * direction


def columns(random, n, d):
    return random.normal(size=(n, d)) * 10 ** random.uniform(-3, 3, size=d)


def scaled(random, n, d):
    return random.normal(size=(n, d)) * 10 ** random.uniform(-30, 30)


def offset(random, n, d):
    return random.normal(size=(n, d)) + 1e5


def repeated(random, n, d):
    """Two equal columns: one direction short of full rank."""
    features = random.normal(size=(n, d))
    features[:, 1] = features[:, 0]
    return features


def sparse(random, n, d):
    """Like Inception's: not negative, float32."""
    wide = random.normal(size=(n, 3)) @ random.normal(size=(3, d)) + 0.2 * random.normal(size=(n, d))
    return wide.clip(min=0).astype(np.float32)


pytestmark = pytest.mark.filterwarnings("error")

KINDS = (spectrum, knee, one_small, columns, scaled, offset, repeated, sparse)


@given(
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    seed=st.integers(0, 10_000),
    d=st.integers(2, 80),
    more=st.tuples(st.sampled_from([1, 2, 20, 400]), st.sampled_from([1, 2, 20, 400])),
    identical=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_both_forms_agree_to_1e_9_of_the_traces(kinds, seed, d, more, identical):
    random = np.random.default_rng(seed)
    a, b = (moments(kind(random, d + rows, d)) for kind, rows in zip(kinds, more))
    b = a if identical else b
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    assert abs(frechet_distance(a, b) - by_eigenvectors(a, b)) <= 1e-9 * traces


@pytest.mark.parametrize("rows", [(257, 300), (300, 257), (2560, 400)])
def test_full_rank_needs_no_eigenvectors(rows, monkeypatch):
    monkeypatch.setattr(frechet, "_by_eigenvectors", None)
    random = np.random.default_rng(0)
    assert frechet_distance(*(moments(sparse(random, n, 256)) for n in rows)) > 0


def dead_column(random, n, d):
    features = random.normal(size=(n, d))
    features[:, d // 2] = 7
    return features


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        ((offset, offset), (40, 500)),
        ((offset, offset), (500, 40)),
        ((dead_column, offset), (500, 500)),
        ((offset, dead_column), (500, 500)),
        ((repeated, offset), (500, 500)),
        ((offset, repeated), (500, 500)),
    ],
)
def test_without_full_rank_the_distance_is_that_of_eigenvectors_to_the_bit(kinds, rows):
    random = np.random.default_rng(1)
    a, b = (moments(kind(random, n, 60)) for kind, n in zip(kinds, rows))
    assert frechet_distance(a, b) == by_eigenvectors(a, b)


@pytest.mark.parametrize("others", [1, 3])
def test_no_number_of_threads_changes_a_bit(others, monkeypatch):
    random = np.random.default_rng(2)
    features = [sparse(random, n, 300) for n in (2500, 1200, 200)]
    expected = [frechet_distance(moments(features[0]), moments(part)) for part in features[1:]]
    monkeypatch.setattr(threads, "THREADS", others)
    with threadpool_limits(others, user_api="blas"):
        assert [frechet_distance(moments(features[0]), moments(part)) for part in features[1:]] == expected


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_moments_that_are_not_finite_have_no_distance(value):
    features = np.random.default_rng(3).normal(size=(50, 4))
    ordinary = moments(features)
    features[3, 2] = value
    assert np.isnan(frechet_distance(moments(features), ordinary))
    assert np.isnan(frechet_distance(ordinary, moments(features)))


def test_sums_of_moments_leave_their_parts_alone():
    parts = [moments(np.random.default_rng(seed).normal(size=(20, 3))) for seed in (4, 5)]
    before = [part.scatter.copy() for part in parts]
    assert isinstance(parts[0] + parts[1], Moments)
    np.testing.assert_array_equal([part.scatter for part in parts], before)
