"""Table layouts: side by side, stacked, in blocks; words, settings and additional protocols."""

import json
import re
from dataclasses import replace

import pytest
from reports import compile_latex, fill, texts_of
from toy_paper import HYBRID

from harness.config.evaluations import reading_of
from harness.registry.cells import cells
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, BPD, FID, INCEPTION_SCORE, PRECISION, RUNTIME_TEXT
from harness.registry.row import Row, Words
from harness.report.html.symbols import MARKS
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.claims import ClaimStatus
from harness.report.results.report import build
from harness.report.results.verdicts import Verdict
from harness.report.write import write_claims
from harness.report.writers import claims_list
from harness.report.writers.csv_json import csv, json_text, to_json
from harness.report.writers.table_cells import CellKind, Role
from harness.report.writers.table_layout import grids
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.records import Measurement, Need, Outcome
from harness.store.results import Results
from harness_papers.hybvit import PAPER

EXHIBITS = {exhibit.name: exhibit for exhibit in PAPER.exhibits}
LAPTOP = PAPER.scale("laptop")


def report_of(tmp_path, name, scale=LAPTOP, seeds=1, **how):
    results = Results(tmp_path)
    fill(results, PAPER, EXHIBITS[name], scale, seeds=seeds, **how)
    return build(PAPER, EXHIBITS[name], scale, results)


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def test_few_metrics_stand_side_by_side(tmp_path):
    (grid,) = grids(report_of(tmp_path, "table6"))
    assert [column.heading for column in grid.columns] == [
        "Model", "Acc % (paper)", "Acc %", "IS (paper)", "CS(digits)", "FID (paper)", "FD(digits)", "seeds",
    ]  # fmt: skip
    assert texts_of(grid)[0] == ("HybViT", "95.9", "10.0", "7.68", "10.00", "26.4", "10.0", "1")


def test_verdicts_stand_once_for_a_row_or_beside_every_value(tmp_path):
    report = report_of(tmp_path, "table6", PAPER.scale("paper"), value=lambda cell: 26.0)
    (once,), (beside,) = grids(report), grids(report, verdicts_in=Role.DIFFERENCE)
    pair = [Role.PAPER, Role.OURS]
    assert [column.role for column in once.columns] == [Role.LABEL, *pair * 3, Role.SEEDS, Role.VERDICT]
    assert [column.role for column in beside.columns] == [Role.LABEL, *[*pair, Role.DIFFERENCE] * 3, Role.SEEDS]
    assert str(once.lines[0][-1]) == "2 FAIL, 1 PASS"
    difference = beside.lines[0][9]
    assert (difference.role, difference.metric, round(difference.value, 6)) == (Role.DIFFERENCE, FID, -0.4)
    assert difference.judgement.verdict == "PASS"


def test_stacked_verdicts_have_a_line_below_ours(tmp_path):
    report = report_of(tmp_path, "table12", PAPER.scale("paper"), value=lambda cell: 50.0)
    assert [str(line[1]) for line in next(grids(report)).lines[:3]] == ["paper", "ours", "tuned PGD"]
    upper = next(grids(report, verdicts_in=Role.DIFFERENCE))
    assert [str(line[1]) for line in upper.lines[:4]] == ["paper", "ours", "difference", "tuned PGD"]
    assert [line[3].role for line in upper.lines[:4]] == [Role.PAPER, Role.OURS, Role.DIFFERENCE, Role.READING]


def test_cells_show_dashes_gaps_words_and_numbers_differently(tmp_path):
    (grid,) = grids(report_of(tmp_path, "table1", keep=lambda cell: cell.metric == ACCURACY))
    kinds = {(line[0].text, str(cell)): cell.kind for line in grid.lines for cell in line}
    assert (kinds["ViT", "-"], kinds["GenViT", "-"]) == (CellKind.DASH, CellKind.DASH)
    assert (kinds["GenViT", "..."], kinds["ViT", "10.0"]) == (CellKind.GAP, CellKind.NUMBER)
    (words,) = (
        line[3] for grid in grids(report_of(tmp_path, "table13")) for line in grid.lines if "32 GPUs" in str(line[3])
    )
    assert (words.kind, words.value) == (CellKind.WORDS, 3840)
    assert words.remarks == ("printed in words, which are taken to mean 3,840",)


NOBODYS = Row("Nobody's", None, (None, None, None), note="nobody knows")


def test_a_row_of_which_there_is_nothing_keeps_its_line(tmp_path):
    own = EXHIBITS["table6"]
    table = replace(own, rows=(*own.rows, NOBODYS), claims=()).also(reading_of("samples=50000"))
    results = Results(tmp_path)
    fill(results, PAPER, table, LAPTOP)
    report = build(PAPER, table, LAPTOP, results)
    (grid,) = grids(report)
    assert texts_of(grid)[-1] == ("Nobody's", "paper", "-", "-", "-", "")
    assert "Nobody's" in terminal(report)
    assert "Nobody" in latex(report)


def test_marks_of_stacked_cells_follow_the_order_of_reading(tmp_path):
    own = EXHIBITS["table6"]
    table = replace(own, rows=(replace(own.rows[0], note="of the row"),), claims=()).also(reading_of("samples=50000"))
    results = Results(tmp_path)
    fill(results, PAPER, table, LAPTOP, keep=lambda cell: cell.metric == ACCURACY)
    (row,), need = table.rows, Need(what="needs weights", how="get them")
    needs = {cell.evaluation.id: need for cell in cells(PAPER, table, [row], LAPTOP, [0])}
    Outcome.now("failed", "x", needs).save(results.directory(LAPTOP.shrink(row.run)).outcome)
    source = latex(build(PAPER, table, LAPTOP, results))
    assert "\\textsuperscript{a}\\,Of the row." in source
    assert "\\textsuperscript{b}\\,Not measured: needs weights: get them." in source


def test_secondary_values_of_every_protocol_stand_in_every_format(tmp_path):
    results, scale = Results(tmp_path), PAPER.scale("paper")
    table = EXHIBITS["table6"].also(reading_of("samples=50000"))
    fill(results, PAPER, table, scale, seeds=2)
    for cell in cells(PAPER, table, table.rows, scale, range(2)):
        if cell.metric == FID:
            directory = results.directory(cell.run)
            record = directory.record(cell.evaluation)
            value = (0.75 if cell.reading else 0.25) + cell.seed / 8
            quantities = record.quantities | {"precision": Measurement(value=value, n=100)}
            record.model_copy(update={"quantities": quantities}).save(directory.record_path(cell.evaluation))
    report = build(PAPER, table, scale, results, (PRECISION,))
    page = write_pages([report], results, [])[0].read_text()
    texts = [re.sub(r"<[^>]*>", " ", cell) for cell in re.findall(r"<td.*?</td>", page, re.DOTALL)]
    for said in (terminal(report), markdown(report), "\n".join(texts)):
        assert "0.31 ± 0.09" in squeezed(said)
        assert "0.81 ± 0.09" in squeezed(said)
    assert "precision / precision@10k train, precision@50k train" in page


@pytest.mark.parametrize(("number", "stacked"), [(3, False), (4, False), (5, True)])
def test_more_than_four_metrics_stand_above_each_other(tmp_path, number, stacked):
    metrics = (ACCURACY, FID, INCEPTION_SCORE, BPD, PRECISION)[:number]
    table = Table(number=1, title="t", metrics=metrics, rows=(Row("Cited", None, (1.0,) * number, source="cited"),))
    (grid,) = grids(build(PAPER, table, LAPTOP, Results(tmp_path)))
    assert grid.is_stacked is stacked


def test_blocks_without_common_metrics_are_grids_of_their_own(tmp_path):
    upper, lower = grids(report_of(tmp_path, "table12", value=lambda cell: 50.0 if cell.reading else 60.0))
    assert (upper.caption, lower.caption) == ("L∞", "L2")
    assert len(upper.columns) == len(lower.columns) == 2 + 9 + 1
    assert [texts[:4] for texts in texts_of(upper)[:3]] == [
        ("ViT", "paper", "96.5", "70.8"),
        ("", "ours", "60.0", "60.0"),
        ("", "tuned PGD", "", "50.0"),
    ]


def test_sections_with_fewer_metrics_share_one_grid(tmp_path):
    (grid,) = grids(report_of(tmp_path, "table2"))
    headings = [section.heading for section in grid.sections]
    assert headings == [
        "CIFAR100 → pairs", "Tiny-ImageNet → mosaics", "STL10 → scenes", "ImageNet 32x32 (imagenet32 → triples)",
        "CelebA 128 (celebahq128 → photos16)",
    ]  # fmt: skip
    assert [(column.group, column.heading) for column in grid.columns[5:7]] == [
        ("FID / FD", "FID (paper)"), ("FID / FD", "FD"),
    ]  # fmt: skip


def test_words_and_settings_read_as_printed(tmp_path):
    runtime = terminal(report_of(tmp_path, "table13", value=lambda cell: 0.5))
    assert "32 GPUs for 5 days" in runtime
    assert json.loads(json_text(report_of(tmp_path, "table13")))["rows"][3]["cells"]["runtime_text"]["reported"] == (
        "32 GPUs for 5 days"
    )
    settings = terminal(build(PAPER, EXHIBITS["table9"], LAPTOP, Results(tmp_path)))
    assert "11 of 11 cells are measured" in settings
    assert "SGD with 0.1" in settings


def test_other_protocols_stand_in_json_and_csv(tmp_path):
    report = report_of(tmp_path, "table12", value=lambda cell: 50.0 if cell.reading else 60.0)
    cell = to_json(report)["rows"][0]["cells"]["robust_linf_4"]
    assert (cell["measured"]["mean"], cell["readings"]["tuned PGD"]["mean"]) == (60.0, 50.0)
    assert ",tuned PGD," in csv(report)
    assert report.measured == report.wanted == 136


def test_every_exhibit_of_the_paper_compiles_complete_and_empty(tmp_path):
    sources = []
    for name, exhibit in EXHIBITS.items():
        if exhibit.kind == "table":
            sources += [latex(report_of(tmp_path / "full", name)), latex(report_of(tmp_path / "none", name, seeds=0))]
    compile_latex(tmp_path, *sources)


def test_claims_on_means_show_the_means(tmp_path):
    text = terminal(report_of(tmp_path, "table12", seeds=2))
    assert "Mean of 8 values, L∞ 1/255 to L∞ 30/255: L∞: HybViT - Weak Aug " in text


@pytest.mark.parametrize(
    ("status", "count", "says"),
    [(ClaimStatus.HOLDS, 1, "1 holds"), (ClaimStatus.HOLDS, 29, "29 hold"), (ClaimStatus.FAILS, 0, "0 fail")],
)
def test_numbers_of_claims_are_counted_in_words(status, count, says):
    assert status.counted(count) == MARKS[status].counted(count) == says
    assert MARKS[Verdict.PASS].counted(count) == f"{count} PASS"


def test_the_ledger_counts_and_explains(tmp_path):
    reports = [report_of(tmp_path, name, seeds=3) for name in ("table3", "table5")]
    assert claims_list.summary(reports).startswith("12 claims: ")
    assert "By the paper's own printed values: 2 fail, 10 hold" in claims_list.summary(reports)
    text = " ".join(claims_list.terminal(reports).split())
    assert "table5, §5.3: With more training epochs, the accuracy gap" in text
    assert "The paper's own printed values contradict it" in text
    assert "Seeds: 3" in text
    entries = claims_list.to_json(reports)
    assert {entry["exhibit"] for entry in entries} == {"hybvit/table3", "hybvit/table5"}
    assert {entry["by_the_printed_values"] for entry in entries} == {"holds", "fails"}
    (path,) = write_claims(reports, Results(tmp_path))
    assert path.read_text().count("| table") == 12


def test_a_figure_shows_its_picture_in_markdown(tmp_path):
    report = report_of(tmp_path, "figure6")
    assert "](figure6.png)" in markdown(report)
    assert "figure6.png" not in markdown(report_of(tmp_path / "none", "figure6", seeds=0))


def test_a_reported_number_in_words_has_a_value(tmp_path):
    table = Table(
        number=1,
        title="t",
        metrics=(ACCURACY, RUNTIME_TEXT),
        rows=(
            Row("a", HYBRID, (1.0, Words("3 days", 72))),
            Row("b", None, (None, Words("many"))),
        ),
    )
    values = [table.reported_value(row, RUNTIME_TEXT) for row in table.rows]
    assert values == [72, None]
    assert not table.asks(table.rows[1], ACCURACY)
    assert FID.reported(Words("110")) == "110"
