"""A table with every verdict of a compared cell, in every format."""

import csv as standard
import json
from dataclasses import replace

import pytest
from reports import fill
from scipy import stats
from toy_paper import HYBRID, PAPER

from harness.registry.exhibit import ExpectedFailure, Table
from harness.registry.metrics import ACCURACY
from harness.registry.row import Row
from harness.registry.tolerances import Allowance, Tolerance
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.report import build
from harness.report.writers.csv_json import csv, json_text
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

OFF = {"Near": 0, "Apart": 1, "Open": 2, "Far": 3, "Wrong": 2}
WORDS = {"Near": "PASS, closely", "Apart": "PASS", "Open": "INCONCLUSIVE", "Far": "FAIL", "Wrong": "XFAIL"}
TABLE = Table(
    number=1,
    title="t",
    metrics=(ACCURACY,),
    rows=tuple(Row(name, HYBRID.but(epochs=place + 1), (50.0,)) for place, name in enumerate(OFF)),
    expected=(ExpectedFailure("Wrong", ACCURACY, "a misprint"),),
)
JUDGED = replace(PAPER, tables=(TABLE,), tolerances={"accuracy": Tolerance((Allowance("w", absolute=1.5),))})


def value(cell):
    """Return values with a standard deviation of 1 between three seeds."""
    return 50.0 + OFF[cell.row.label] + cell.seed - 1


@pytest.fixture
def results(tmp_path):
    results = Results(tmp_path / "results")
    fill(results, JUDGED, TABLE, JUDGED.scale("paper"), seeds=3, value=value)
    return results


@pytest.fixture
def report(results):
    return build(JUDGED, TABLE, JUDGED.scale("paper"), results)


def squeezed(text):
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_the_table_passes_with_a_fail(report):
    assert {row.row.key: str(row.cells[0].judgement) for row in report.rows} == WORDS
    assert (report.verdict.word, report.verdict.fails, report.verdict.cells) == ("PASS", 1, 4)


def test_text_says_the_verdict_and_predicts_beside_the_printed_value(report):
    half_width = stats.t.ppf(0.975, 10) * (1 + 1 / 3) ** 0.5
    predicted = f"50.0 | {52 - half_width:.1f} to {52 + half_width:.1f} | 52.0 ± 1.0"
    said = squeezed(markdown(report))
    assert f"| Open | Acc | {predicted} | 3 | +2.0 | 1.5 | 49.5 to 54.5 | 0.11 | INCONCLUSIVE |" in said
    assert "outside the tolerance, inside the 95 % prediction interval" in said
    for text in (said, squeezed(terminal(report))):
        assert "PASS, closely" in text
        assert "Cells by verdict: 1 FAIL, 1 INCONCLUSIVE, 2 PASS, 1 XFAIL." in text
        assert "Verdict of the table: PASS. 1 of 4 FAIL; about 0.2 expected of an honest rerun, at most 1." in text
        assert "Closely: the 90 % interval of the mean lies within the tolerance" in text


def test_json_and_csv_have_the_evidence(report):
    document = json.loads(json_text(report))
    cells = {row["key"]: row["cells"]["accuracy"] for row in document["rows"]}
    assert {key: cell["verdict"] for key, cell in cells.items()} == {k: w.split(",")[0] for k, w in WORDS.items()}
    assert [key for key, cell in cells.items() if cell["closely"]] == ["Near"]
    assert cells["Far"]["spread"] == {"sd": pytest.approx(1.0), "df": 10}
    assert cells["Far"]["chance_of_fail"] == 0.05
    assert document["fails"] | {"expected": 0.2} == {
        "cells": 1, "of": 4, "expected": 0.2, "at_most": 1, "known": 4, "one_seed": 0, "because": [],
    }  # fmt: skip
    lines = {line["row"]: line for line in standard.DictReader(csv(report).splitlines(), strict=True)}
    assert {row: line["beside_verdict"] for row, line in lines.items() if line["beside_verdict"]} == {"Near": "closely"}
    assert float(lines["Open"]["predicted_low_95"]) == pytest.approx(cells["Open"]["prediction_95"][0])


def test_latex_marks_and_explains_it(report):
    source = latex(report)
    assert "\\textsuperscript{?}" in source
    assert "INCONCLUSIVE: outside the tolerance, within the prediction interval." in source
    assert "PASS, closely" in source


def test_the_page_marks_counts_and_explains_it(report, results):
    page = write_pages([report], results, [])[0].read_text()
    assert 'data-verdicts="INCONCLUSIVE"' in page
    assert '</span><span class="beside">closely</span>' in page
    assert "1 of 4 FAIL; about 0.2 expected of an honest rerun, at most 1" in page
    assert "but not the 95 % prediction interval of another seed" in page


def test_one_seed_is_marked(tmp_path):
    results = Results(tmp_path)
    fill(results, JUDGED, TABLE, JUDGED.scale("paper"), value=lambda cell: 50.0 + OFF[cell.row.label])
    report = build(JUDGED, TABLE, JUDGED.scale("paper"), results)
    said = squeezed(terminal(report))
    assert "Verdict of the table: FAIL. 2 of 4 FAIL; one seed: no expectation; 2 FAIL with one seed." in said
    assert [str(row.cells[0].judgement) for row in report.rows] == [
        "PASS, one seed", "PASS, one seed", "FAIL, one seed", "FAIL, one seed", "XFAIL, one seed",
    ]  # fmt: skip
