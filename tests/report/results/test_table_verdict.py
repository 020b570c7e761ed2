"""The verdict on a table: by its counts, by the FAILs of an honest rerun, and by its largest difference."""

import itertools
import math
import random
from dataclasses import replace

import pytest
from scipy import stats

from harness.registry.metrics import FID
from harness.registry.tolerances import Allowance, Tolerance
from harness.report.results.statistics import EXACT, Prediction
from harness.report.results.table_verdict import TableVerdict, most_fails
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.results.verdicts import Judgement, Verdict, VerdictRule, judge

UNITS = replace(FID, key="u", noise="absolute")
KNOWN = Prediction(1.0, 20, 3)
RULE = VerdictRule(comparable=True, tolerance=Tolerance((Allowance("w", absolute=1.0),)))
FAILS_BY = 2.6
"""A difference that is FAIL by `KNOWN`, and less than the largest of 36 may be."""


def cell(difference, prediction=KNOWN):
    return judge(UNITS, 10.0, 10 + difference, RULE, prediction=prediction)


@pytest.mark.parametrize(
    ("verdicts", "word", "says"),
    [
        (["PASS", "PASS"], "PASS", "2 PASS"),
        (["PASS", "XFAIL", "cited"], "PASS", "1 PASS, 1 XFAIL, 1 cited"),
        (["PASS", "FAIL", "MISSING"], "FAIL", "1 FAIL, 1 PASS, 1 MISSING"),
        (["PASS", "XPASS"], "FAIL", "1 XPASS, 1 PASS"),
        (["PASS", "INCONCLUSIVE"], "PASS", "1 INCONCLUSIVE, 1 PASS"),
        (["INCONCLUSIVE", "cited"], "INCONCLUSIVE", "1 INCONCLUSIVE, 1 cited"),
        (["INCONCLUSIVE", "MISSING"], "PARTIAL", "1 INCONCLUSIVE, 1 MISSING"),
        (["PASS", "MISSING"], "PARTIAL", "1 PASS, 1 MISSING"),
        (["PASS", "PARTIAL"], "PARTIAL", "1 PASS, 1 PARTIAL"),
        (["MISSING", "MISSING", "cited"], "MISSING", "2 MISSING, 1 cited"),
        (["not compared", "cited", "not reported"], "not compared", "1 not compared, 1 cited"),
        (["not compared", "FAIL"], "FAIL", "1 FAIL, 1 not compared"),
        ([], "not compared", ""),
    ],
)
def test_tables_count_cells(verdicts, word, says):
    verdict_counts = VerdictCounts.of(map(Verdict, verdicts))
    found = TableVerdict.of(Judgement(Verdict(verdict)) for verdict in verdicts)
    assert (found.word, str(verdict_counts)) == (word, says)
    assert VerdictCounts.sum([verdict_counts, verdict_counts]).cells == 2 * verdict_counts.cells


def test_as_many_fails_as_an_honest_rerun_has_are_no_fail_of_the_table():
    """Of 36 cells with 5 % each, 97.5 % of reruns have at most 5 FAILs."""
    most = int(stats.binom.ppf(0.975, 36, 0.05))
    for fails, word in ((0, "PASS"), (most, "PASS"), (most + 1, "FAIL")):
        found = TableVerdict.of([cell(FAILS_BY)] * fails + [cell(0.0)] * (36 - fails))
        assert (found.word, found.fails, found.cells, found.at_most) == (word, fails, 36, most)
        assert found.expected == pytest.approx(1.8)
        reason = "; 6 FAIL are more than 5" if word == "FAIL" else ""
        assert str(found) == f"{fails} of 36 FAIL; about 1.8 expected of an honest rerun, at most 5{reason}"


def test_one_difference_beyond_the_largest_of_so_many_fails_the_table():
    limit = stats.t.ppf(1 - 0.025 / 36 / 2, 20) * math.sqrt(1 + 1 / 3)
    for difference, word in ((0.999 * limit, "PASS"), (1.001 * limit, "FAIL"), (-1.001 * limit, "FAIL")):
        found = TableVerdict.of([cell(difference), *[cell(0.0)] * 35])
        assert (found.fails, found.word) == (1, word)
        assert bool(found.because) == (word == "FAIL")
    assert found.because == ("1 beyond the limit for the largest of 36 differences",)


def test_wide_tolerances_leave_no_fail_to_expect():
    wide = replace(RULE, tolerance=Tolerance((Allowance("w", absolute=8.0),)))
    cells = [judge(UNITS, 10.0, 10.0, wide, prediction=KNOWN)] * 36
    passing = TableVerdict.of(cells)
    assert (passing.word, passing.at_most, str(passing)) == (
        "PASS", 0, "0 of 36 FAIL; less than 0.1 expected of an honest rerun, at most 0",
    )  # fmt: skip
    assert TableVerdict.of([judge(UNITS, 10.0, 18.1, wide, prediction=KNOWN), *cells]).word == "FAIL"


def test_fails_that_no_noise_explains_fail_the_table():
    passing = [cell(0.0)] * 36
    for one, reason in (
        (cell(2.0, EXACT), "1 FAIL that no noise explains"),
        (judge(UNITS, 10.0, math.nan, RULE, prediction=None), "1 FAIL that no noise explains"),
        (cell(2.0, None), "1 FAIL with one seed"),
        (judge(UNITS, 10.0, 10.0, replace(RULE, expected="a misprint"), prediction=KNOWN), "1 XPASS"),
    ):
        assert (TableVerdict.of([*passing, one]).word, TableVerdict.of([*passing, one]).because) == ("FAIL", (reason,))


def test_one_seed_leaves_no_expectation():
    found = TableVerdict.of([cell(0.0, None)] * 3)
    assert (found.word, found.expected, str(found)) == ("PASS", None, "0 of 3 FAIL; one seed: no expectation")
    mixed = TableVerdict.of([cell(0.0, None), *[cell(0.0)] * 2])
    assert str(mixed) == (
        "0 of 3 FAIL; about 0.1 expected of an honest rerun of 2 cells, at most 1; 1 with one seed: no expectation"
    )
    assert str(TableVerdict.of([cell(0.0, EXACT)])) == "0 of 1 FAIL"


def test_the_limit_is_that_of_the_poisson_binomial_distribution():
    dice = random.Random(0)
    for _ in range(20):
        chances = [dice.choice([0.0, 0.01, 0.05, 0.4]) for _ in range(8)]
        probabilities = [0.0] * 9
        for fails in itertools.product((0, 1), repeat=8):
            each = [chance if failed else 1 - chance for chance, failed in zip(chances, fails, strict=True)]
            probabilities[sum(fails)] += math.prod(each)
        below = list(itertools.accumulate(probabilities))
        assert most_fails(chances) == next(k for k, share in enumerate(below) if share >= 0.975 - 1e-9)
    assert most_fails([0.05] * 233) == stats.binom.ppf(0.975, 233, 0.05)


def test_an_honest_table_fails_in_5_percent_at_most():
    dice, repetitions, fails = random.Random(0), 1500, 0
    for _ in range(repetitions):
        spread = Prediction(math.sqrt(dice.gammavariate(12, 2) / 24), 24, 3)  # pooled over twelve rows of three seeds
        cells = [cell(dice.gauss(0, 1) * math.sqrt(1 + 1 / 3), spread) for _ in range(36)]
        fails += TableVerdict.of(cells).word == "FAIL"
    assert 0.01 < fails / repetitions < 0.055
