"""The rules of docs/verdicts.md for cells, case by case."""

import math
from dataclasses import replace

import pytest
from reports import fill
from scipy import stats
from toy_paper import HYBRID, PAPER

from harness.errors import SpecError
from harness.registry.exhibit import ExpectedFailure, Table
from harness.registry.metrics import ACCURACY, BPD, FID
from harness.registry.row import Row, Words
from harness.registry.tolerances import Allowance, Tolerance
from harness.report.results.report import build
from harness.report.results.verdicts import VerdictRule, judge, judge_setting
from harness.report.writers.csv_json import to_json
from harness.store.results import Results

HALF = Tolerance((Allowance("seeds", absolute=0.2), Allowance("source", absolute=0.3)))
RULE = VerdictRule(comparable=True, tolerance=HALF)
ELSEWHERE = replace(RULE, comparable=False)
WRONG = replace(RULE, expected="a misprint")


@pytest.mark.parametrize(
    ("reported", "mean", "rule", "waiting", "verdict"),
    [
        (95.9, 95.5, RULE, 0, "PASS"),
        (95.9, 95.4, RULE, 0, "PASS"),  # exactly at the tolerance
        (95.9, 96.4, RULE, 0, "PASS"),
        (95.9, 95.39, RULE, 0, "FAIL"),
        (95.9, 96.41, RULE, 0, "FAIL"),
        (95.9, 95.39, WRONG, 0, "XFAIL"),
        (95.9, 95.9, WRONG, 0, "XPASS"),
        (95.9, 95.9, RULE, 1, "PARTIAL"),
        (95.9, 20.0, RULE, 2, "PARTIAL"),
        (95.9, 95.9, WRONG, 1, "PARTIAL"),
        (95.9, None, RULE, 0, "MISSING"),
        (95.9, None, RULE, 3, "MISSING"),
        (95.9, None, WRONG, 0, "MISSING"),
        (95.9, math.nan, RULE, 0, "FAIL"),
        (95.9, math.inf, RULE, 1, "FAIL"),
        (95.9, math.nan, WRONG, 0, "FAIL"),
        (95.9, math.nan, ELSEWHERE, 0, "FAIL"),
        (None, math.nan, RULE, 0, "FAIL"),
        (95.9, 20.0, ELSEWHERE, 0, "not compared"),
        (95.9, 20.0, ELSEWHERE, 1, "PARTIAL"),
        (95.9, None, ELSEWHERE, 0, "MISSING"),
        (95.9, 95.9, replace(RULE, tolerance=None), 0, "not compared"),
        (Words("3 days", 72.0), 72.0, RULE, 0, "not compared"),
        (95.9, 95.9, replace(RULE, source="cited"), 0, "cited"),
        (95.9, 20.0, replace(RULE, source="uncertain"), 0, "uncertain"),
        (None, 20.0, RULE, 0, "not reported"),
        (None, None, RULE, 0, "not reported"),
        (0.0, 0.5, RULE, 0, "PASS"),
        (-1.0, -1.6, RULE, 0, "FAIL"),
    ],
)
def test_cases_made_by_hand(reported, mean, rule, waiting, verdict):
    found = judge(ACCURACY, reported, mean, rule, waiting)
    assert found.verdict == verdict
    assert (found.difference is not None) == (verdict in ("PASS", "FAIL", "XPASS", "XFAIL") and math.isfinite(mean))
    assert bool(found.reason) == (verdict not in ("PASS", "not reported") and not (found.difference and rule is RULE))


def test_a_judgement_says_what_it_rests_on():
    found = judge(ACCURACY, 95.9, 95.0, WRONG)
    assert (found.difference, found.tolerance) == (pytest.approx(-0.9), pytest.approx(0.5))
    assert found.parts == ("0.2 for seeds", "0.3 for source")
    assert found.reason == "a misprint"


@pytest.mark.parametrize(("mean", "verdict"), [(21.9, "PASS"), (22.1, "FAIL"), (18.1, "PASS"), (17.9, "FAIL")])
def test_a_relative_tolerance_is_a_share_of_the_printed_value(mean, verdict):
    rule = replace(RULE, tolerance=Tolerance((Allowance("seeds", relative=0.1), Allowance("sample-size bias: none"))))
    found = judge(FID, 20.0, mean, rule)
    assert (found.verdict, found.tolerance) == (verdict, 2.0)
    assert found.parts == ("2.0 for seeds", "0.0 for sample-size bias: none")


@pytest.mark.parametrize(("mean", "verdict"), [(-21.9, "PASS"), (-22.1, "FAIL"), (-18.1, "PASS"), (-17.9, "FAIL")])
def test_a_share_of_a_negative_value_is_taken_of_its_size(mean, verdict):
    rule = replace(RULE, tolerance=Tolerance((Allowance("seeds", relative=0.1),)))
    found = judge(BPD, -20.0, mean, rule)
    assert (found.verdict, found.tolerance, found.parts) == (verdict, 2.0, ("2.00 for seeds",))


@pytest.mark.parametrize(
    ("configured", "rule", "verdict"),
    [("L1", RULE, "PASS"), ("l2", RULE, "FAIL"), ("l2", WRONG, "XFAIL"), ("l1", WRONG, "XPASS"),
     ("l2", ELSEWHERE, "not compared")],
)  # fmt: skip
def test_settings_are_held_to_the_letter(configured, rule, verdict):
    assert judge_setting(Words("l1"), configured, rule).verdict == verdict


def test_an_expectation_must_name_a_cell():
    row = Row("A", HYBRID, (1.0, None))
    with pytest.raises(SpecError, match="unknown row in an expectation of table1 'B'"):
        Table(
            number=1, title="t", metrics=(ACCURACY, FID), rows=(row,), expected=(ExpectedFailure("B", ACCURACY, "r"),)
        )
    with pytest.raises(SpecError, match="an expectation needs fid of 'A', which is a dash"):
        Table(number=1, title="t", metrics=(ACCURACY, FID), rows=(row,), expected=(ExpectedFailure("A", FID, "r"),))


def report_of(tmp_path, table, scale="paper", **how):
    results, at = Results(tmp_path), PAPER.scale(scale)
    fill(results, PAPER, table, at, **how)
    return build(PAPER, table, at, results)


def test_seeds_that_are_asked_for_and_missing_leave_a_cell_partial(tmp_path):
    table = PAPER.tables[0]
    report = report_of(tmp_path, table, seeds=3, keep=lambda cell: cell.seed < 2 or cell.row.label == "Denoising")
    hybrid, denoising, _ = report.rows
    assert [cell.verdict.value for cell in hybrid.cells] == ["PARTIAL"] * 3
    assert hybrid.cells[0].judgement.reason == "1 more seed is requested"
    assert hybrid.cells[0].measured.seeds == 2
    assert [cell.verdict.value for cell in denoising.cells] == ["not reported", "not compared", "FAIL"]
    assert report.verdict.word == "FAIL"


def test_equal_values_have_no_spread_at_all(tmp_path):
    cell = report_of(tmp_path, PAPER.tables[0], seeds=3, value=lambda cell: 96.38888888888889).rows[0].cells[0]
    assert (cell.measured.mean, cell.measured.sd) == (96.38888888888889, 0.0)


def test_intervals_belong_to_what_was_compared(tmp_path):
    report = report_of(tmp_path, PAPER.tables[0], seeds=3)
    cell = to_json(report)["rows"][0]["cells"]["accuracy"]
    assert (cell["verdict"], cell["difference"], cell["tolerance"]) == ("PASS", -9.0, 100.0)
    assert cell["measured"]["values"] == {"0": 10.0, "1": 11.0, "2": 12.0}
    assert cell["interval_95"] == pytest.approx(stats.t.interval(0.95, 2, 11.0, stats.sem([10, 11, 12])))
    assert cell["p_value"] == pytest.approx(2 * stats.t.sf(9 / math.sqrt(1 + 1 / 3), 2))
    small = report_of(tmp_path / "small", PAPER.tables[0], scale="laptop", seeds=3)
    assert to_json(small)["rows"][0]["cells"]["accuracy"]["p_value"] is None
