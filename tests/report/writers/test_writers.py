"""The writers on measured, partial, broken and hostile results; LaTeX is compiled."""

import csv as standard
import json
import math
import random

import pytest
from reports import compile_latex, fill
from toy_paper import PAPER as TOY

from harness.registry.papers import find_exhibits
from harness.registry.scale import PAPER_SCALE
from harness.report.figures.render import write_figures
from harness.report.latex.escape import tex
from harness.report.latex.table import table as latex
from harness.report.results.report import build
from harness.report.write import WRITERS, write
from harness.report.writers.csv_json import csv, json_text
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

HYBVIT, TABLE6 = find_exhibits(["hybvit/table6"])[0]


def report_of(tmp_path, paper=HYBVIT, table=TABLE6, scale="laptop", **how):
    results, scale = Results(tmp_path), paper.scale(scale)
    fill(results, paper, table, scale, **how)
    return build(paper, table, scale, results)


def squeezed(text):
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_a_complete_table_shows_both_values_and_the_seeds(tmp_path):
    text = terminal(report_of(tmp_path, seeds=3))
    assert "36 of 36 cells are measured; ± is the standard deviation over 3 seeds (ddof 1)." in text
    assert "11.0 ± 1.0" in text
    assert "26.4" in text
    assert "FD(digits)" in text
    assert "classifier of the data (test accuracy: digits (97.8 %)); they are not FID and IS" in " ".join(text.split())
    assert "verdict" not in text


def test_with_one_seed_the_note_says_whose_spread_claims_use(tmp_path):
    said = "36 of 36 cells are measured, with one seed: the values do not show the spread between seeds; "
    declared = " ".join(terminal(report_of(tmp_path / "laptop")).split())
    assert f"{said}claims use the declared one." in declared
    assert "Seeds: 1. Noise as declared at this scale: FD(digits) 4.8 % (8 degrees of freedom)" in declared
    assert f"{said}it is unknown." in " ".join(terminal(report_of(tmp_path / "paper", scale="paper")).split())


@pytest.mark.parametrize(
    ("seeds", "row", "fewer", "says"),
    [
        (2, "GenViT", 1, "over 2 seeds, where there are as many (ddof 1)."),
        (3, "GenViT", 1, "over 3 seeds, where there are as many (ddof 1)."),
        (3, "GenViT", 2, "over 2 to 3 seeds (ddof 1)."),
    ],
)
def test_a_standard_deviation_is_not_said_to_be_of_one_seed(tmp_path, seeds, row, fewer, says):
    table1 = next(table for table in HYBVIT.tables if table.name == "table1")
    report = report_of(tmp_path, table=table1, seeds=seeds, keep=lambda cell: cell.row.key != row or cell.seed < fewer)
    assert f"± is the standard deviation {says}" in " ".join(terminal(report).split())


def test_an_empty_table_is_a_table(tmp_path):
    report = build(HYBVIT, TABLE6, HYBVIT.scale("laptop"), Results(tmp_path))
    assert (report.measured, report.wanted) == (0, 36)
    text = terminal(report)
    assert "0 of 36 cells are measured" in text
    assert "..." in text
    assert "Not measured yet" in text


def test_values_are_compared_at_paper_scale_only(tmp_path):
    at_paper = report_of(tmp_path, scale="paper", value=lambda cell: TABLE6.reported(cell.row, cell.metric) or 0.0)
    assert {cell.verdict.value for row in at_paper.rows for cell in row.cells} == {"PASS", "not reported"}
    assert "FD(" not in terminal(at_paper)
    assert "3 PASS" not in terminal(at_paper)
    assert "PASS" in terminal(at_paper)
    assert "without a plain PASS" not in terminal(at_paper)
    assert "| HybViT(α=1) | FID@10k train | 68.9 | - | 68.9 | 1 | +0.0 | 6.9 | - | - | PASS, one seed |" in squeezed(
        markdown(at_paper)
    )
    off = report_of(tmp_path / "off", scale="paper", value=lambda cell: 0.0)
    assert (off.verdict.word, off.verdict.fails) == ("FAIL", 36)
    assert "Verdict of the table: FAIL. 36 of 36 FAIL; one seed: no expectation; 36 FAIL with one seed." in terminal(
        off
    )
    assert "Cells by verdict: 36 FAIL." in terminal(off)
    assert "HybViT(α=1) FID@10k train 68.9 - 0.0 1 -68.9 6.9 - - FAIL, one seed" in squeezed(terminal(off))


@pytest.mark.parametrize("seed", range(4))
def test_partial_tables_are_valid_in_every_format(tmp_path, seed):
    dice = random.Random(seed)
    report = report_of(
        tmp_path,
        seeds=2,
        keep=lambda cell: dice.random() < 0.5,
        value=lambda cell: dice.choice([1.0, math.nan, 1e9, -3.0, math.inf]),
    )
    parsed = json.loads(json_text(report), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert parsed["coverage"]["measured"] == report.measured
    table = list(standard.DictReader(csv(report).splitlines(), strict=True))
    assert len(table) == 39
    assert {"NaN", "inf"} <= {line["measured"] for line in table}, "neither is a blank"
    assert not any("nan" in line.values() for line in table)
    lines = [line for line in markdown(report).splitlines() if line.startswith("| ") and "HybViT" in line]
    assert lines
    compile_latex(tmp_path, latex(report))


def test_hostile_labels_are_escaped(tmp_path):
    from dataclasses import replace

    nasty = r"</script> _ % & # $ \input{/etc/passwd} ^ ~ { } | ` * “α” ≤ ☃"
    rows = (replace(TABLE6.rows[0], label=nasty), *TABLE6.rows[1:])
    table = replace(TABLE6, title=nasty, rows=rows, claims=())
    report = report_of(tmp_path, table=table)
    assert json.loads(json_text(report))["rows"][0]["label"] == nasty
    assert "</script>" not in markdown(report)
    compile_latex(tmp_path, latex(report))
    with write(report, ["csv"], Results(tmp_path))[0].open(encoding="utf-8", newline="") as file:
        assert next(standard.DictReader(file, strict=True))["row"] == nasty


def test_tables_with_citations_compile_side_by_side(tmp_path):
    toy = TOY.tables[0]
    report = report_of(tmp_path, paper=TOY, table=toy)
    assert [row.cells[0].verdict.value for row in report.rows] == ["not compared", "not reported", "cited"]
    assert "Denoising: a note & more" in terminal(report)
    assert "A note \\& more." in latex(report)
    sections = report_of(tmp_path / "102", paper=TOY, table=TOY.tables[1])
    assert f"\\emph{{{tex('Part_1')}}}" in latex(sections)
    compile_latex(tmp_path, latex(report), latex(sections), latex(report_of(tmp_path / "6")))


def test_every_format_is_written_where_the_user_is_told(tmp_path):
    paths = write(report_of(tmp_path), list(WRITERS), Results(tmp_path))
    expected = [f"report/hybvit/table6.{ending}" for ending in ("tex", "md", "csv", "json")]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == expected
    assert all(path.stat().st_size > 500 for path in paths)


def test_csv_traces_every_value_to_its_runs(tmp_path):
    report = report_of(tmp_path, seeds=2)
    table = standard.DictReader(csv(report).splitlines(), strict=True)
    (line,) = (line for line in table if (line["row"], line["metric"]) == ("HybViT(α=1)", "fid"))
    small = HYBVIT.scale("laptop").shrink(TABLE6.row("HybViT(α=1)").run)
    assert line["runs"].split() == [small.id, small.but(seed=1).id]
    assert (line["measured"], line["reported"], line["measured_as"]) == ("10.5", "68.9", "FD(digits)")
    assert float(line["sd"]) == pytest.approx(math.sqrt(0.5))


def test_paper_scale_is_called_by_its_own_names(tmp_path):
    report = build(HYBVIT, TABLE6, PAPER_SCALE, Results(tmp_path))
    labels = {metric.key: report.label(metric) for metric in TABLE6.metrics}
    assert labels == {"accuracy": "Acc", "inception_score": "IS@10k", "fid": "FID@10k train"}


def test_figures_are_drawn_and_reproducible(tmp_path):
    report = report_of(tmp_path, value=lambda cell: float(len(cell.row.label)))
    first = {path.name: path.read_bytes() for path in write_figures(report, Results(tmp_path))}
    again = {path.name: path.read_bytes() for path in write_figures(report, Results(tmp_path))}
    assert set(first) == {f"table6-agreement.{ending}" for ending in ("png", "pdf", "svg")}
    assert first == again
    empty = build(HYBVIT, TABLE6, HYBVIT.scale("laptop"), Results(tmp_path / "empty"))
    assert write_figures(empty, Results(tmp_path / "empty")) == []
