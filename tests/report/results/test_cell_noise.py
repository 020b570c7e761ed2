"""The spreads of cells over hand-made measurements, and the verdicts on honest and other printed values."""

import math
import random
from dataclasses import replace

import pytest
from scipy import stats

from harness.registry.metrics import ACCURACY, FID, PARAMETERS
from harness.registry.scale import Scale, Spread
from harness.registry.tolerances import Allowance, Tolerance
from harness.report.results.cell_noise import CellNoise
from harness.report.results.series import Series
from harness.report.results.statistics import EXACT, Prediction, PrintedValue
from harness.report.results.verdicts import VerdictRule, judge

UNITS = replace(FID, key="u", noise="absolute")
ONE = PrintedValue(10.0)


def series(row, metric, values, run="", kind="k", items=0):
    """Return the entry of a cell: one value for each seed."""
    runs = tuple(f"{run or row} {seed}" for seed in range(len(values)))
    return (row, metric.key, ""), Series(
        "e", "d", "l", items, tuple(range(len(values))), tuple(values), runs, kind=kind
    )


def predicted(metric, *found, printed=ONE, spread=None):
    """Return the prediction for the first of some cells."""
    scale = Scale("s", "n", comparable=True, spread=spread or {})
    return CellNoise(dict(found), [metric], scale).prediction(metric, found[0][1], printed)


def within(tolerance):
    return VerdictRule(comparable=True, tolerance=Tolerance((Allowance("w", absolute=tolerance),)))


def test_the_spread_is_pooled_over_rows_of_a_kind():
    a, b, other = series("a", UNITS, [9, 11]), series("b", UNITS, [3, 5, 10]), series("c", UNITS, [0, 90], kind="jem")
    found = predicted(UNITS, a, b, other)
    assert found == Prediction(pytest.approx(math.sqrt((2 + 26) / 3)), 3, 2)
    assert found.half_width() == pytest.approx(stats.t.ppf(0.975, 3) * found.sd * math.sqrt(1 + 1 / 2))
    assert found.p_value(4) == pytest.approx(2 * stats.t.sf(4 / (found.sd * math.sqrt(1.5)), 3))


def test_rows_with_the_same_runs_count_once():
    a, again = series("a", UNITS, [9, 11]), series("b", UNITS, [9, 11], run="a")
    assert predicted(UNITS, a, again).df == 1


def test_relative_noise_is_a_share_of_the_mean():
    found = predicted(FID, series("a", FID, [90, 110]), series("b", FID, [9, 11]))
    assert (found.sd, found.df) == (pytest.approx(100 * 0.2 / math.sqrt(2)), 2)
    zero = predicted(FID, series("a", FID, [-1, 1]), series("b", FID, [9, 11]))
    assert (zero.sd, zero.df) == (pytest.approx(math.sqrt(2)), 1)


def test_a_declared_spread_joins_unless_the_measured_one_is_larger():
    declared = {("d", "u", "k"): Spread(1.0, 26)}
    alone = predicted(UNITS, series("a", UNITS, [10]), spread=declared)
    assert (alone.sd, alone.df, alone.seeds) == (1.0, 8, 1)
    both = predicted(UNITS, series("a", UNITS, [9, 11]), spread=declared)
    assert (both.sd, both.df) == (pytest.approx(math.sqrt((2 + 8) / 9)), 9)
    wide = predicted(UNITS, series("a", UNITS, [0, 20]), spread=declared)
    assert (wide.sd, wide.df) == (pytest.approx(math.sqrt(200)), 1)
    assert predicted(UNITS, series("a", UNITS, [10], kind="jem"), spread=declared) is None


def test_a_printed_deviation_counts_if_it_is_larger_or_the_only_one():
    ours, printed = series("a", UNITS, [9, 11]), PrintedValue(10.0, sd=4.0, seeds=5)
    assert predicted(UNITS, ours, printed=printed) == Prediction(4.0, 1, 2, 5)
    assert predicted(UNITS, ours, printed=replace(printed, sd=0.1)).sd == pytest.approx(math.sqrt(2))
    assert predicted(UNITS, series("a", UNITS, [10]), printed=printed) == Prediction(4.0, 4, 1, 5)
    assert predicted(UNITS, series("a", UNITS, [10]), printed=PrintedValue(10.0, sd=4.0)) is None
    assert Prediction(4.0, 1, 2, 5).error == pytest.approx(4 * math.sqrt(1 / 2 + 1 / 5))


def test_equal_values_have_the_noise_of_rounding():
    images = predicted(ACCURACY, series("a", ACCURACY, [97.5, 97.5], items=360))
    assert images.sd == pytest.approx(100 / 360 / math.sqrt(12))
    assert predicted(UNITS, series("a", UNITS, [10, 10])).sd == pytest.approx(0.1 / math.sqrt(12))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[math.nan], [1.0, math.inf], [-math.inf, math.inf]])
def test_values_that_are_not_finite_predict_nothing(values):
    broken, whole = series("a", UNITS, values), series("b", UNITS, [9, 11])
    assert predicted(UNITS, broken, whole) is None
    assert predicted(UNITS, whole, broken).df == 1


def test_exact_values_need_no_spread():
    found = judge(PARAMETERS, 10.0, 10.2, within(0.1), prediction=predicted(PARAMETERS, series("a", PARAMETERS, [10])))
    assert (str(found), found.prediction, found.chance_of_fail) == ("FAIL", EXACT, 0.0)
    assert str(judge(PARAMETERS, 10.0, 10.0, within(0.1), prediction=EXACT)) == "PASS"
    assert EXACT.chance_of_fail(0.0) == 0


LIMIT = stats.t.ppf(0.975, 4) * 2 * math.sqrt(1 + 1 / 3)
CLOSE = 5 - stats.t.ppf(0.95, 4) * 2 / math.sqrt(3)


@pytest.mark.parametrize(
    ("tolerance", "difference", "says"),
    [
        (1, 0.99, "PASS"),
        (1, 1.01, "INCONCLUSIVE"),
        (1, -0.999 * LIMIT, "INCONCLUSIVE"),
        (1, 1.001 * LIMIT, "FAIL"),
        (1, -1.001 * LIMIT, "FAIL"),
        (2 * LIMIT, 1.9 * LIMIT, "PASS"),
        (2 * LIMIT, 2.01 * LIMIT, "FAIL"),
        (5, 0.999 * CLOSE, "PASS, closely"),
        (5, -0.999 * CLOSE, "PASS, closely"),
        (5, 1.001 * CLOSE, "PASS"),
    ],
)
def test_three_verdicts_by_tolerance_and_prediction(tolerance, difference, says):
    prediction = Prediction(2.0, 4, 3)
    found = judge(UNITS, 10.0, 10 + difference, within(tolerance), prediction=prediction)
    assert str(found) == says
    assert ("inside the 95 % prediction interval" in found.reason) == (says == "INCONCLUSIVE")
    assert found.chance_of_fail == pytest.approx(min(0.05, 2 * stats.t.sf(tolerance / prediction.error, 4)))


def test_an_expected_failure_is_one_outside_the_tolerance():
    wrong = replace(within(1), expected="a misprint")
    for difference, verdict in ((0.5, "XPASS"), (2.0, "XFAIL"), (2 * LIMIT, "XFAIL")):
        found = judge(UNITS, 10.0, 10 + difference, wrong, prediction=Prediction(2.0, 4, 3))
        assert (str(found), found.reason) == (verdict, "a misprint")
    assert str(judge(UNITS, 10.0, 10.0, replace(within(9), expected="e"), prediction=Prediction(2.0, 4, 3))) == "XPASS"


def test_without_a_spread_the_tolerance_decides_alone():
    for difference, says in ((0.5, "PASS, one seed"), (2.0, "FAIL, one seed")):
        found = judge(UNITS, 10.0, 10 + difference, within(1))
        assert (str(found), found.chance_of_fail) == (says, None)


@pytest.mark.parametrize("seeds", [1, 2, 3, 5])
@pytest.mark.parametrize("printed_seeds", [1, 4])
def test_honest_printed_values_fail_in_5_percent_whatever_the_tolerance(seeds, printed_seeds):
    dice, repetitions = random.Random(seeds), 4000
    fails = outside = 0
    for _ in range(repetitions):
        values = [dice.gauss(10, 2) for _ in range(seeds)]
        printed = sum(dice.gauss(10, 2) for _ in range(printed_seeds)) / printed_seeds
        declared = Spread(2 * math.sqrt(dice.gammavariate(2, 2) / 4), 4)  # measured with 4 degrees of freedom
        spread = {("d", "u", "k"): declared} if seeds == 1 else {}
        value = PrintedValue(printed, seeds=printed_seeds)
        prediction = predicted(UNITS, series("a", UNITS, values), printed=value, spread=spread)
        found = judge(UNITS, printed, sum(values) / seeds, within(0.01), prediction=prediction)
        fails, outside = fails + (found.verdict == "FAIL"), outside + (found.verdict != "PASS")
    assert 0.035 < fails / repetitions < 0.062
    assert outside / repetitions > 0.98
