"""Addressed randomness: distributions, independence of streams, and independence of the batching of rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.randomness import Stream

ROWS = torch.arange(4000)
FIXED_INTEGERS = [842, 493, 667, 44, 549, 830]
FIXED_PERMUTATION = [6, 0, 4, 2, 5, 7, 3, 1]


@given(rows=st.lists(st.integers(0, 2**40), min_size=1, max_size=20), seed=st.integers(0, 2**31))
@settings(deadline=None)
def test_a_row_draws_the_same_alone_and_in_company(rows, seed):
    stream = Stream(seed, "noise")
    together = stream.normal(torch.tensor(rows), 3, 2)
    for i, row in enumerate(rows):
        torch.testing.assert_close(stream.normal(torch.tensor([row]), 3, 2)[0], together[i], rtol=0, atol=0)


def test_numbers_are_fixed_for_all_time():
    """Changing these values changes every result: increment SEMANTICS in harness/config/run.py too."""
    stream = Stream(0, "noise", 7)
    assert stream.integers(torch.arange(6), 1000).tolist() == FIXED_INTEGERS
    assert stream.permutation(8).tolist() == FIXED_PERMUTATION


def test_uniform_numbers_are_uniform():
    draws = Stream(1, "u").uniform(ROWS, 10)
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws.flatten().numpy(), "uniform").pvalue > 1e-3


def test_normal_numbers_are_normal_and_uncorrelated():
    draws = Stream(1, "n").normal(ROWS, 16)
    assert torch.isfinite(draws).all()
    assert stats.kstest(draws.flatten().numpy(), "norm").pvalue > 1e-3
    correlation = np.corrcoef(draws.numpy(), rowvar=False) - np.eye(16)
    assert np.abs(correlation).max() < 5 / np.sqrt(len(ROWS))


@pytest.mark.parametrize("high", [2, 3, 10, 1000])
def test_integers_are_even(high):
    counts = Stream(2, high).integers(torch.arange(100 * high), high).bincount(minlength=high)
    assert len(counts) == high
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_permutations_are_permutations_and_differ():
    first, second = (Stream(0, i).permutation(1000) for i in (0, 1))
    assert first.sort().values.tolist() == list(range(1000))
    assert (first == second).float().mean() < 0.02


def test_different_addresses_are_independent():
    addresses = [(0,), (1,), ("0",), (0, "a"), (0, 1), (0, 1, 2), ("0/1",), (0, "1")]
    draws = [Stream(*address).normal(ROWS, 1)[:, 0].numpy() for address in addresses]
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 5 / np.sqrt(len(ROWS))
    assert Stream(0).at("a").key == Stream(0, "a").key


def test_neighbouring_seeds_and_steps_do_not_share_rows():
    a, b = Stream(0, "noise", 1).normal(ROWS, 4), Stream(0, "noise", 2).normal(ROWS, 4)
    assert not np.intersect1d(a.numpy(), b.numpy()).size > 20
