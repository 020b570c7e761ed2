"""The noise between seeds: pooled, with a declared one, and without a declaration that is too small."""

import math

import pytest
from scipy import stats

from harness.registry.scale import Spread
from harness.report.results.seed_noise import MOST_DECLARED_DF, is_larger, pooled, spread_of, with_declared


def test_groups_are_pooled_about_their_own_means():
    found = pooled("absolute", [(30.0, 34.0), (1.0, 2.0, 3.0), (10.0,)])
    assert (found.sd, found.df) == (pytest.approx(math.sqrt((8 + 2) / 3)), 3)
    assert pooled("absolute", [(10.0,), ()]) is None


def test_relative_noise_is_a_fraction_of_the_mean():
    assert pooled("relative", [(90.0, 110.0)]).sd == pytest.approx(math.sqrt(200) / 100)
    assert pooled("relative", [(-90.0, -110.0)]).sd == pytest.approx(math.sqrt(200) / 100)


def test_values_that_are_not_finite_say_nothing_of_the_noise():
    groups = [(1.0, math.nan), (math.inf, 2.0), (30.0, 34.0)]
    assert pooled("absolute", groups).sd == pytest.approx(math.sqrt(8))
    assert pooled("absolute", groups[:1]) is None
    assert pooled("relative", [(0.0, 0.0), (-1.0, 1.0), (90.0, 110.0)]) == pooled("relative", [(90.0, 110.0)])


def test_noise_that_overflows_is_unknown():
    assert pooled("absolute", [(1e300, -1e300), (30.0, 34.0)]) is None
    assert pooled("relative", [(1e300, 1.1e300)]) is None


def test_a_declaration_is_pooled_with_what_is_measured():
    found = with_declared(Spread(math.sqrt(8), 1), Spread(2.5, 3))
    assert (found.sd, found.df) == (pytest.approx(math.sqrt((8 + 3 * 6.25) / 4)), 4)
    assert with_declared(None, Spread(1.0, 3)) == Spread(1.0, 3)
    assert with_declared(Spread(1.0, 3), None) == Spread(1.0, 3)
    assert with_declared(None, None) is None


def test_a_declaration_counts_as_few_degrees_of_freedom():
    assert with_declared(None, Spread(1.0, 1000)) == Spread(1.0, MOST_DECLARED_DF)
    assert with_declared(Spread(1.0, 4), Spread(1.0, 1000)) == Spread(1.0, 4 + MOST_DECLARED_DF)


@pytest.mark.parametrize(("df", "declared_df"), [(2, 26), (4, 8), (10, 3)])
def test_a_declaration_that_is_too_small_by_an_f_test_is_dropped(df, declared_df):
    limit = math.sqrt(stats.f.ppf(0.95, df, declared_df))
    assert with_declared(Spread(1.01 * limit, df), Spread(1.0, declared_df)) == Spread(1.01 * limit, df)
    assert with_declared(Spread(0.99 * limit, df), Spread(1.0, declared_df)).df > df


def test_a_declaration_that_is_too_large_stays():
    assert with_declared(Spread(0.01, 4), Spread(1.0, 26)).df == 4 + MOST_DECLARED_DF


def test_a_declared_spread_of_zero_is_outvoted_by_any_noise():
    assert with_declared(Spread(0.5, 1), Spread(0.0, 30)) == Spread(0.5, 1)


def test_spreads_far_apart_are_compared_and_pooled_without_overflow():
    """Trainings that diverge have finite values whose spread is many times the declared one."""
    assert is_larger(Spread(1e150, 2), Spread(1e-300, 8))
    assert with_declared(Spread(1e154, 2), Spread(1e154, 8)).sd == pytest.approx(1e154)
    assert pooled("relative", [[1.7e308, 1.7e308], [1.0, 2.0]]) is None
    assert spread_of([-1.7e308, 1.7e308]) is None and spread_of([1.0]) is None
