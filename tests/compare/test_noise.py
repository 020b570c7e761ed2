"""The test of a difference: noise pooled over like cells, pairs of equal runs, rounding, and how often it errs."""

import math
import random
from dataclasses import replace

import pytest
from compared_sides import CELL
from scipy import stats

from harness.compare.noise import CellOfBoth, PooledNoise
from harness.compare.significance import ALPHA, SeedValues
from harness.registry.metrics import ACCURACY

UNITS = replace(CELL, metric=replace(ACCURACY, key="u", proportion=False))


def both(a, b, cell=UNITS, items=0, same_runs=False):
    return CellOfBoth(cell, SeedValues(dict(enumerate(a))), SeedValues(dict(enumerate(b))), items, same_runs)


def test_one_cell_has_the_test_of_student():
    one = both([96.1, 96.9, 95.8], [97.2, 98.0])
    ours, theirs = PooledNoise([one]).test(one), stats.ttest_ind([97.2, 98.0], [96.1, 96.9, 95.8])
    assert (ours.t, ours.df, ours.p_value) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))


def test_noise_is_pooled_over_cells_of_a_metric_data_and_kind_alone():
    one, calm = both([1.0, 3.0], [2.0, 5.0]), both([1.0, 1.1], [2.0, 2.1])
    other = replace(calm, cell=replace(UNITS, metric=replace(UNITS.metric, key="v")))
    assert PooledNoise([one, calm]).test(one).df == 4
    assert PooledNoise([one, calm]).test(one).standard_error == pytest.approx(math.sqrt((2 + 4.5 + 0.005 + 0.005) / 4))
    assert PooledNoise([one, other]).test(one) == PooledNoise([one]).test(one)


def test_one_seed_has_the_noise_of_other_cells():
    one, other = both([1.0], [2.0]), both([1.0, 3.0], [5.0, 7.0])
    assert PooledNoise([one]).test(one) is None
    assert PooledNoise([one, other]).test(one).standard_error == pytest.approx(math.sqrt(2) * math.sqrt(2))


def test_without_any_noise_there_is_no_test():
    one = both([1.0, 1.0], [2.0, 2.0])
    assert PooledNoise([one]).test(one) is None


def test_equal_runs_are_pairs():
    """Seeds differ by far more than the two devices do."""
    values, shifted = [90.0, 95.0, 99.0], [90.1, 95.2, 99.1]
    apart, pairs = both(values, shifted), both(values, shifted, same_runs=True)
    expected = stats.ttest_rel(shifted, values)
    found = PooledNoise([pairs]).test(pairs)
    assert (found.t, found.df, found.p_value) == pytest.approx((expected.statistic, expected.df, expected.pvalue))
    assert PooledNoise([apart]).test(apart).p_value > 0.9


def test_relative_noise_is_a_fraction_of_the_value():
    fid = replace(UNITS, metric=replace(UNITS.metric, noise="relative"))
    small, large = both([9.0, 11.0], [10.0, 10.5], fid), both([900.0, 1100.0], [1000.0, 1050.0], fid)
    noise = PooledNoise([small, large])
    assert noise.test(large).standard_error == pytest.approx(100 * noise.test(small).standard_error)
    assert noise.test(large).t == pytest.approx(noise.test(small).t)


@pytest.mark.parametrize("same_runs", [False, True])
def test_an_accuracy_is_at_least_as_uncertain_as_its_rounding(same_runs):
    accuracy = replace(UNITS, metric=ACCURACY)
    one = both([80.0, 80.0], [82.0, 82.0], accuracy, items=50, same_runs=same_runs)
    assert PooledNoise([one]).test(one).standard_error == pytest.approx(2 / math.sqrt(12) * math.sqrt(1 / 2 + 1 / 2))


def test_accuracies_of_one_law_rarely_differ():
    """36 accuracies of 360 images with two seeds on both sides: without a test, half of such comparisons differed."""
    dice, wrong = random.Random(0), 0
    accuracy = replace(UNITS, metric=ACCURACY)

    def drawn():
        return [100 * round(360 * dice.gauss(0.97, 0.005)) / 360 for _ in range(2)]

    for _ in range(200):
        cells = [both(drawn(), drawn(), accuracy, items=360) for _ in range(36)]
        noise = PooledNoise(cells)
        wrong += any(test.p_value < ALPHA / 36 for one in cells if (test := noise.test(one)))
    assert wrong / 200 < 0.1


def test_what_is_detectable_is_what_would_have_been_significant():
    test = PooledNoise([one := both([96.1, 96.9, 95.8], [97.2, 98.0])]).test(one)
    at_the_limit = replace(test, difference=test.detectable(10))
    assert at_the_limit.p_value == pytest.approx(ALPHA / 10)


def test_equal_runs_tell_of_their_noise_once_and_identical_ones_do_too():
    """Twelve rows with the same three seeds on both sides are known; the thirteenth has one."""
    known = [both([90.0, 91.0, 92.0], [90.0, 91.0, 92.0], same_runs=True) for _ in range(12)]
    one = both([90.0], [99.0])
    found = PooledNoise([one, *known]).test(one)
    assert (found.df, found.standard_error) == (24, pytest.approx(math.sqrt(2)))


def test_a_cell_that_is_noisier_than_its_pool_has_its_own_noise():
    calm = [both([1.0, 1.1, 1.2], [1.0, 1.2, 1.1]) for _ in range(8)]
    wild = both([1.0, 9.0, 5.0], [20.0, 12.0, 16.0])
    found = PooledNoise([wild, *calm]).test(wild)
    assert (found.df, found.standard_error) == (4, pytest.approx(math.sqrt(16 * 2 / 3)))


def test_zeros_with_relative_noise_harm_no_other_cell():
    fid = replace(UNITS, metric=replace(UNITS.metric, noise="relative"))
    zeros, one = both([0.0, 0.0], [10.0, 11.0], fid), both([50.0, 51.0], [150.0, 152.0], fid)
    assert PooledNoise([zeros, one]).test(one).p_value < 0.01


def test_five_seeds_need_no_other_cell():
    five = [1.0, 2.0, 3.0, 4.0, 5.0], [3.0, 4.0, 5.0, 6.0, 7.0]
    one, calm = both(*five), [both([1.0, 1.1, 1.2], [1.0, 1.2, 1.1]) for _ in range(8)]
    ours, theirs = PooledNoise([one, *calm]).test(one), stats.ttest_ind(five[1], five[0])
    assert (ours.df, ours.p_value) == (8, pytest.approx(theirs.pvalue))
    wide = [both([1.0, 11.0, 21.0], [2.0, 12.0, 22.0]) for _ in range(8)]
    assert PooledNoise([one, *wide]).test(one).df == 8
