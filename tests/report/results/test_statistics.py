"""The intervals and the test of a cell, against their definitions."""

import math
import random
from dataclasses import replace

import pytest
from scipy import stats

from harness.report.results.statistics import PrintedValue, Statistics, describe


@pytest.mark.parametrize("seeds", [3, 4, 10])
def test_intervals_and_tests_are_those_of_student(seeds):
    dice = random.Random(seeds)
    values = [dice.gauss(95, 2) for _ in range(seeds)]
    found = describe(values, PrintedValue(95.9))
    mean, sd, error = sum(values) / seeds, stats.tstd(values), stats.sem(values)
    t = (mean - 95.9) / (sd * math.sqrt(1 + 1 / seeds))
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), seeds - 1))
    assert found.interval == pytest.approx(stats.t.interval(0.95, seeds - 1, mean, error))
    assert found.test == f"two-sided t-test of the reported value as one more seed, df = {seeds - 1}"
    unheld = describe(values, None)
    assert (unheld.interval, unheld.p_value, unheld.test) == (found.interval, None, "nothing to test against")


def test_a_printed_mean_is_that_of_its_seeds_with_the_larger_spread():
    values = [94.0, 95.0, 96.0]
    assert describe(values, PrintedValue(97.0)).p_value == pytest.approx(
        2 * stats.t.sf(2 / (1 * math.sqrt(1 / 3 + 1)), 2)
    )
    wide, narrow = (describe(values, PrintedValue(97.0, sd=sd, seeds=5)) for sd in (4.0, 0.5))
    assert wide.p_value == pytest.approx(2 * stats.t.sf(2 / (4 * math.sqrt(1 / 3 + 1 / 5)), 2))
    assert narrow.p_value == pytest.approx(2 * stats.t.sf(2 / (1 * math.sqrt(1 / 3 + 1 / 5)), 2))
    assert wide.test == "two-sided t-test of the reported value as the mean of 5 more seeds, df = 2"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([95.0], "one seed: no interval and no test"),
        ([95.0, math.nan, 96.0], "not all values are finite: no interval and no test"),
        ([1.7e308, 1.7e308], "the sum of the values overflows: no interval and no test"),
        ([-1.7e308, 1.7e308], "the sum of the values overflows: no interval and no test"),
    ],
)
def test_what_cannot_be_tested_says_so(values, says):
    found = describe(values, PrintedValue(95.9))
    assert (found.interval, found.p_value, found.test) == (None, None, says)


def test_two_seeds_predict_and_have_no_interval_of_their_mean():
    found = describe([95.0, 96.0], PrintedValue(98.0))
    half_width = stats.t.ppf(0.975, 1) * math.sqrt(0.5) * math.sqrt(1 + 1 / 2)
    assert (found.interval, found.prediction) == (None, pytest.approx((95.5 - half_width, 95.5 + half_width)))
    assert describe([95.0, 96.0], None) == Statistics(None, None, "2 seeds: no interval and no test")


def test_seeds_that_agree_to_the_bit_have_no_spread_to_test():
    assert describe([95.0] * 3, PrintedValue(95.9)) == replace(describe([95.0] * 3, None), p_value=None)
    assert describe([95.0] * 3, PrintedValue(95.9)).interval == (95.0, 95.0)
