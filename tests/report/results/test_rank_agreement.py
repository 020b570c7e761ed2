"""Rank agreement: Kendall's tau, its p-values, and the groups of rows that are ranked together."""

import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from reports import fill
from scipy import stats
from toy_paper import HYBRID, PAPER

from harness.bundle.reading import open_bundle
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.papers import find_exhibits
from harness.registry.row import Row
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.rank_agreement import least_p_value
from harness.report.results.report import build
from harness.report.writers.between_rows import agreement, rank_agreement
from harness.report.writers.csv_json import json_text
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results


def ranked(tmp_path, measured, reported):
    rows = tuple(Row(str(i), HYBRID.but(epochs=i + 1), (value,)) for i, value in enumerate(reported))
    table = Table(number=1, title="t", metrics=(FID,), rows=rows)
    results = Results(tmp_path)
    fill(results, PAPER, table, PAPER.scale("laptop"), value=lambda cell: measured[int(cell.row.label)])
    return build(PAPER, table, PAPER.scale("laptop"), results).agreements


def test_rank_agreement_is_kendalls_tau_at_any_scale(tmp_path):
    reported, measured = tuple(map(float, range(1, 12))), (10.0, 30.0, 20.0, math.nan, *range(50, 57))
    found = ranked(tmp_path, measured, reported)
    expected = stats.kendalltau((1, 2, 3, *range(5, 12)), (10, 30, 20, *range(50, 57)))
    assert [(a.metric, a.rows, a.tau, a.p_value) for a in found] == [(FID, 10, expected.statistic, expected.pvalue)]


@pytest.mark.parametrize(
    ("reported", "measured"),
    [
        ((1.0, 2.0, 3.0, 4.0, 5.0), (10.0, 30.0, 20.0, 40.0, 50.0)),
        ((1.0, 1.0, 2.0, 2.0, 3.0), (10.0, 20.0, 30.0, 40.0, 50.0)),
        ((1.0, 1.0, 2.0, 3.0, 4.0, 5.0), (10.0, 20.0, 30.0, 20.0, 50.0, 0.0)),
    ],
)
def test_the_p_value_of_few_rows_is_the_share_of_all_orders(tmp_path, reported, measured):
    (found,) = ranked(tmp_path, measured, reported)
    orders = [stats.kendalltau(reported, order).statistic for order in itertools.permutations(measured)]
    assert found.p_value == pytest.approx(sum(abs(tau) > abs(found.tau) - 1e-9 for tau in orders) / len(orders))


def test_four_rows_are_too_few_for_a_p_value(tmp_path):
    (found,) = ranked(tmp_path, (10.0, 30.0, 20.0, 40.0), (1.0, 2.0, 3.0, 4.0))
    assert (found.rows, math.isnan(found.p_value)) == (4, True)
    assert agreement(found).endswith("+0.67 (4 rows)")


def test_a_note_says_which_p_values_few_rows_cannot_have(tmp_path):
    few = [ranked(tmp_path / str(n), tuple(range(n)), tuple(map(float, range(n))))[0] for n in (4, 3, 5)]
    said = rank_agreement(SimpleNamespace(whole=None, agreements=few))
    assert said.endswith(" No p-value is possible below 0.33 with 3 rows, and none below 0.083 with 4 rows.")
    assert "(5 rows, p = 0.017)" in said
    assert [least_p_value(n) for n in (3, 4)] == pytest.approx([1 / 3, 1 / 12])
    assert rank_agreement(SimpleNamespace(whole=None, agreements=few[2:])).endswith("(5 rows, p = 0.017).")


def test_a_small_p_value_is_only_bounded(tmp_path):
    (found,) = ranked(tmp_path, tuple(range(12)), tuple(map(float, range(12))))
    assert agreement(found).endswith("+1.00 (12 rows, p < 0.001)")


def test_three_rows_are_the_fewest_of_an_order(tmp_path):
    (found,) = ranked(tmp_path, (1.0, 2.0, 3.0, math.nan), (1.0, 2.0, 3.0, 4.0))
    assert (found.rows, found.tau) == (3, 1.0)


def test_two_rows_are_no_order(tmp_path):
    assert ranked(tmp_path, (1.0, 2.0, math.nan), (1.0, 2.0, 3.0)) == ()


def grouped(tmp_path, metric, *protocols, sections=("", "")):
    """Return the agreements of three rows for each protocol, on one dataset."""
    rows = tuple(
        Row(f"{block}{i}", HYBRID.but(epochs=i + 1), (i + block / 2,), section=sections[block], protocol=dict(protocol))
        for block, protocol in enumerate(protocols)
        for i in range(3)
    )
    table = Table(number=1, title="t", metrics=(metric,), rows=rows)
    fill(Results(tmp_path), PAPER, table, PAPER.scale("laptop"), value=lambda cell: int(cell.row.label) % 10)
    return build(PAPER, table, PAPER.scale("laptop"), Results(tmp_path)).agreements


def test_other_settings_are_ranked_apart_and_named_by_section_or_by_what_differs(tmp_path):
    few, many = {"samples": 100}, {"samples": 150}
    by_section = grouped(tmp_path / "sections", FID, few, many, sections=("few", "many"))
    assert [(found.rows, found.group) for found in by_section] == [(3, "few"), (3, "many")]
    by_setting = grouped(tmp_path / "settings", FID, few, many)
    assert [(found.rows, found.group) for found in by_setting] == [(3, "samples=100"), (3, "samples=150")]
    assert agreement(by_setting[1]).startswith("FID against FD(digits) [samples=150] +1.00")
    assert [found.group for found in grouped(tmp_path / "one", FID, few)] == [""]


def test_all_states_of_a_training_are_ranked_together(tmp_path):
    found = grouped(tmp_path, ACCURACY, {"after": 0.5}, {"after": 1.0}, sections=("early", "late"))
    assert [(one.rows, one.group) for one in found] == [(6, "")]


def test_the_two_scores_of_table_11_have_taus_of_their_own_in_every_format(tmp_path):
    ((paper, table),) = find_exhibits(["hybvit/table11"])
    with open_bundle(Path(__file__).parents[3] / "results" / "reference", tmp_path) as bundle:
        report = build(paper, table, paper.scale("laptop"), bundle.results)
        page = write_pages([report], bundle.results, [])[0].read_text(encoding="utf-8")
    groups = [(found.metric.key, found.group, found.rows) for found in report.agreements]
    scores = ("log p(x)", "max p(y|x)")
    assert groups == [(metric.key, score, 5) for metric in table.metrics for score in scores]
    says = ("SVHN against temple [log p(x)] +0.11", "SVHN against temple [max p(y|x)] -0.53")
    for text in (terminal(report), page, markdown(report).replace("\\|", "|")):
        assert all(said in " ".join(text.split()) for said in says)
    assert "temple [log p(x)] +0.11" in latex(report)
    assert "temple [max p(y\\textbar{}x)]" in latex(report)
    found = json.loads(json_text(report))["rank_agreement"]
    assert [(one["metric"], one["group"], one["rows"]) for one in found] == groups
