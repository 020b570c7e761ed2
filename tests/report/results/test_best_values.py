"""Bold values: the best printed one; of the measured ones, every row whose difference from the best is not decided."""

from dataclasses import replace

import pytest
from reports import fill
from toy_paper import HYBRID, PAPER

from harness.registry.claims import exceed
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.best_values import best_measured, best_reported
from harness.report.results.claims import decide
from harness.report.results.report import build
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

KIND = HYBRID.config.model_kind
BY_INTERVALS = "the best measured mean with every row whose difference from it is not decided"
NO_TEST = "the best measured mean, no test"


def report_of(tmp_path, values, metric=ACCURACY, spread=None, reported=None, **more):
    """Return a report of rows with these values over seeds."""
    rows = tuple(
        Row(name, HYBRID.but(epochs=place + 1), ((reported or {}).get(name, 50.0),), **more.get(name, {}))
        for place, name in enumerate(values)
    )
    table = Table(number=1, title="t", metrics=(metric,), rows=rows, best=(metric,))
    scale = Scale(
        "laptop", "A scale.", comparable=False, spread={("digits", metric.key, KIND): spread} if spread else {}
    )
    paper = replace(PAPER, tables=(table,), figures=(), optional=(), scales=(scale,))
    fill(
        Results(tmp_path), paper, table, scale, seeds=max(map(len, values.values())),
        keep=lambda cell: cell.seed < len(values[cell.row.label]),
        value=lambda cell: values[cell.row.label][cell.seed],
    )  # fmt: skip
    return build(paper, table, scale, Results(tmp_path))


def bold(report):
    return sorted(row for row, _ in best_measured(report).cells)


def test_rows_that_are_not_decided_from_the_best_are_best_too(tmp_path):
    values = {"A": [90.0, 91.0, 92.0], "B": [90.0, 89.0, 92.0], "C": [70.0, 71.0, 72.0]}
    assert bold(report_of(tmp_path / "higher", values)) == ["A", "B"]
    low = {name: [100 - value for value in of] for name, of in values.items()}
    assert bold(report_of(tmp_path / "lower", low, FID)) == ["A", "B"]


@pytest.mark.parametrize("difference", [2.4, 2.8])
def test_the_level_is_shared_among_the_other_rows(tmp_path, difference):
    """With four others the interval is that at 98.75 %: at 95 % a difference of 2.4 would be decided."""
    far = {name: [50.0, 51.0, 52.0] for name in "CDE"}
    best, second = [90.0, 91.0, 92.0], [value - difference for value in (90.0, 91.0, 92.0)]
    report = report_of(tmp_path, {"A": best, "B": second, **far})
    claim = exceed(ACCURACY, "A", over="B", says="s", where="w")
    pooled = replace(
        claim, contrasts=(*claim.contrasts, *exceed(ACCURACY, *"CDE", over="A", says="s", where="w").contrasts)
    )
    found = decide(pooled, report.exhibit, report.series, report.scale).contrasts[0]
    assert found.estimated.half_width(0.95) < 2.4 < found.estimated.half_width(1 - 0.05 / 4) < 2.8
    assert bold(report) == (["A", "B"] if difference == 2.4 else ["A"])


def test_one_seed_is_tested_with_the_declared_spread_only(tmp_path):
    values = {"A": [91.0], "B": [90.5], "C": [70.0]}
    without = report_of(tmp_path / "without", values)
    assert (bold(without), best_measured(without).untested) == (["A"], 1)
    declared = report_of(tmp_path / "declared", values, spread=Spread(1.0, 8))
    assert (bold(declared), best_measured(declared).tested) == (["A", "B"], 1)
    for writer in (markdown, latex):
        assert NO_TEST in writer(without)
        assert BY_INTERVALS in " ".join(writer(declared).split())


def test_equal_values_have_no_best_and_values_that_are_printed_alike_tie(tmp_path):
    assert bold(report_of(tmp_path / "equal", {"A": [90.0], "B": [90.0]})) == []
    assert bold(report_of(tmp_path / "alike", {"A": [90.0], "B": [90.01]})) == []
    assert bold(report_of(tmp_path / "tie", {"A": [90.0], "B": [90.01], "C": [80.0]})) == ["A", "B"]


def test_a_value_that_is_not_finite_does_not_compete(tmp_path):
    values = {"A": [float("inf")] * 2, "B": [90.0, 91.0], "C": [70.0, 71.0]}
    assert bold(report_of(tmp_path, values)) == ["B"]


def test_the_printed_best_is_the_best_as_printed(tmp_path):
    report = report_of(tmp_path, {"A": [1.0], "B": [2.0]}, reported={"A": 96.6, "B": 96.5})
    assert best_reported(report) == {("A", "accuracy")}


def test_every_format_with_bold_values_says_what_they_are(tmp_path):
    report = report_of(tmp_path, {"A": [90.0, 91.0], "B": [70.0, 71.0]}, reported={"A": 96.6, "B": 96.5})
    note = f"Bold, among the paper's own rows in a column and section: the best printed value, and {BY_INTERVALS}."
    page = write_pages([report], Results(tmp_path), [])[0].read_text(encoding="utf-8")
    assert "| A       |        **96.6** | **90.5 ± 0.7** |       2 |" in markdown(report)
    assert "\\bfseries 96.6 & \\bfseries 90.5" in latex(report)
    assert page.count('class="num group best"') == 1
    assert page.count('class="num best"') == 1
    assert note in markdown(report)
    assert note.replace("'", "{\\textquotesingle}") in latex(report) or "Bold, among" in latex(report)
    assert note.replace("'", "&#39;") in page
    assert "Bold" not in terminal(report), "it has no bold values"


def test_without_bold_values_there_is_no_note(tmp_path):
    report = report_of(tmp_path, {"A": [90.0], "B": [90.0]})
    assert "Bold" not in markdown(report) + latex(report)
