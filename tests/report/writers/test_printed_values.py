"""Details printed by the paper next to a number (±, number of seeds, source), in every format and in all statistics."""

import csv as standard
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from printed import BESIDE, PRINTING, STACKED
from reports import compile_latex, fill, texts_of

from harness.cli.main import main
from harness.registry.claims import falls, rises
from harness.registry.metrics import ACCURACY, BPD, FID
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.best_values import best_measured, best_reported
from harness.report.results.report import build
from harness.report.writers.csv_json import FORMAT, csv, json_text
from harness.report.writers.table_layout import grids
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

NOTES = (
    "The ± of the paper's values is the standard deviation that it reports.",
    "The paper's values over 1 seed: Theirs.",
    "The paper's values over 3 seeds: Mixed (FID).",
    "The paper's values over 5 seeds: Own.",
)


def report_of(root, exhibit=BESIDE, scale="paper", seeds=2, value=lambda cell: 90.0 + cell.seed / 2):
    fill(Results(root), PRINTING, exhibit, PRINTING.scale(scale), seeds=seeds, value=value)
    return build(PRINTING, exhibit, PRINTING.scale(scale), Results(root))


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def column(exhibit, root, heading):
    (grid,) = grids(report_of(root, exhibit))
    at = [column.heading for column in grid.columns].index(heading)
    return [texts[at] for texts in texts_of(grid)]


def test_the_terminal_shows_the_papers_own_deviation(tmp_path):
    assert column(BESIDE, tmp_path, "Acc % (paper)") == ["94.1 ± 0.2", "95.0", "90.0 ± 12.0", "93.0 ± 0.04", "97.0"]
    assert column(BESIDE, tmp_path, "FID (paper)") == ["150.25 ± 1.125", "40.0 ± 2.0", "3.0", "60.0", "-"]
    assert column(BESIDE, tmp_path, "BPD (paper)")[0] == "about 3"
    paper = [text for text in column(STACKED, tmp_path / "stacked", "Acc %") if text != "90.25 ± 0.35"]
    assert [text for text in paper if text] == ["94.1 ± 0.2", "95.0", "90.0 ± 12.0", "93.0 ± 0.04", "97.0"]


@pytest.mark.parametrize("writer", [terminal, markdown])
def test_notes_say_what_it_is_and_over_how_many_seeds(tmp_path, writer):
    said = squeezed(writer(report_of(tmp_path)))
    assert all(note in said for note in NOTES)
    assert "94.1 ± 0.2" in said
    assert "| Own | FD(digits) | 150.25 ± 1.125 | 87.3 to 93.2 | 90.25 ± 0.35" in said or writer is terminal


def test_one_number_of_seeds_for_all_is_said_once(tmp_path):
    own = replace(BESIDE, rows=BESIDE.rows[:1])
    assert "The paper's values are over 5 seeds." in terminal(report_of(tmp_path, own))


def test_nothing_is_said_where_nothing_stands_beside_a_number(tmp_path):
    plain = replace(BESIDE, rows=(replace(BESIDE.rows[0], reported=(94.1, 2, 150.25, None)),))
    for writer in (terminal, markdown, latex):
        said = writer(report_of(tmp_path, plain))
        assert "own ±" not in said
        assert "paper's values" not in said


def test_csv_has_columns_for_it_and_the_source_of_every_value(tmp_path):
    lines = list(standard.DictReader(csv(report_of(tmp_path)).splitlines(), strict=True))
    told = {
        (line["row"], line["metric"]): tuple(line[key] for key in ("reported", "reported_sd", "reported_n", "source"))
        for line in lines
    }
    assert told["Own", "accuracy"] == ("94.1", "0.2", "5", "own")
    assert told["Own", "bpd"] == ("about 3", "", "", "own")
    assert told["Mixed", "accuracy"] == ("95.0", "", "", "own")
    assert told["Mixed", "inception_score"] == ("2.5", "", "", "cited")
    assert told["Mixed", "fid"] == ("40.0", "2", "3", "uncertain")
    assert told["Cited", "accuracy"] == ("90.0", "12", "", "cited")
    assert told["Partly", "accuracy"] == ("93.0", "0.04", "", "own")
    assert told["Partly", "fid"] == ("60.0", "", "", "cited")
    assert told["Theirs", "accuracy"] == ("97.0", "", "1", "cited")


def test_json_has_keys_for_it_and_keeps_the_old_ones(tmp_path):
    document = json.loads(json_text(report_of(tmp_path)))
    schema = json.loads((Path(__file__).parents[3] / "docs" / f"report-{FORMAT}.schema.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    check.validate(document)
    own, mixed, _, partly, _ = document["rows"]
    cell = own["cells"]["accuracy"]
    assert (cell["reported"], cell["reported_sd"], cell["reported_n"]) == (94.1, 0.2, 5)
    cell = own["cells"]["bpd"]
    assert (cell["reported"], cell["reported_sd"], cell["reported_n"]) == ("about 3", None, None)
    assert mixed["source"] == "own"
    assert mixed["sources"] == {"accuracy": "own", "inception_score": "cited", "fid": "uncertain", "bpd": "own"}
    assert partly["source"] == "cited"
    assert partly["sources"]["accuracy"] == "own"
    for wrong in ({"reported_sd": -1}, {"reported_n": 0}):
        mixed["cells"]["fid"] |= wrong
        assert not check.is_valid(document)
        mixed["cells"]["fid"] |= {"reported_sd": 2, "reported_n": 3}
    mixed["sources"]["fid"] = "elsewhere"
    assert not check.is_valid(document)


def lines_of(source):
    return {line.split(" & ")[0].split("\\text")[0]: line for line in source.splitlines() if " & " in line}


def test_latex_aligns_numbers_and_marks_cells_by_source(tmp_path):
    source = latex(report_of(tmp_path))
    lines = lines_of(source)
    pm, cited, uncertain = "\\,\\ensuremath{\\pm}\\,", "\\textsuperscript{\\ensuremath{\\dagger}}", "\\ddagger"
    assert lines["Own"].startswith(f"Own & 94.1 & {pm}0.2 & 90.2")
    assert f"& 150.25 & {pm}1.125 &" in lines["Own"]
    assert lines["Mixed"].startswith("Mixed & \\bfseries 95.0 &  & 90.2")
    assert f"2.50 & {cited} &" in lines["Mixed"]
    assert f"40.0 & {pm}2.0\\textsuperscript{{\\ensuremath{{{uncertain}}}}} &" in lines["Mixed"]
    assert lines["Cited"].startswith(f"Cited{cited} & 90.0 & {pm}12.0 &")
    assert "dagger" not in lines["Cited"].partition(" & ")[2], "its mark stands at its name"
    assert lines["Partly"].startswith(f"Partly & 93.0 & {pm}0.04 &")
    assert lines["Partly"].count(cited) == 3
    assert lines["Theirs"].startswith(f"Theirs{cited} & 97.0 &  &"), "all its values are cited"
    compile_latex(tmp_path, source)


def test_latex_stacks_the_papers_deviation_below_its_values(tmp_path):
    source = latex(report_of(tmp_path, STACKED))
    _, _, after = source.partition("{Own}")
    first, below = after.splitlines()[:2]
    assert first.startswith(" & paper & 94.1 & 2.00 &")
    assert below.startswith(" & \\ensuremath{\\pm} & 0.2 &  &")
    assert "1.125" in below
    assert "{Theirs" not in below
    compile_latex(tmp_path, source)


@pytest.mark.parametrize("exhibit", [BESIDE, STACKED], ids=["beside", "stacked"])
def test_the_page_shows_it_in_the_table_and_behind_the_cell(tmp_path, exhibit):
    report = report_of(tmp_path, exhibit)
    page = write_pages([report], Results(tmp_path), [])[0].read_text()
    rows = dict(re.findall(r'<tbody class="row".*?<th[^>]*>(\w+)(.*?)</tbody>', page, re.DOTALL))
    words = {name: squeezed(re.sub(r"<[^>]*>", " ", row)) for name, row in rows.items()}
    tagged = {name: re.findall(r'class="tag" title="[^"]*">(\w+)</span>', row) for name, row in rows.items()}
    assert "94.1 ± 0.2" in words["Own"]
    assert "150.25 ± 1.125" in words["Own"]
    assert "cited 2.50" in words["Mixed"]
    assert "uncertain 40.0 ± 2.0" in words["Mixed"]
    assert tagged == {
        "Own": [], "Mixed": ["cited", "uncertain"], "Cited": ["cited"], "Partly": ["cited"] * 3, "Theirs": ["cited"],
    }  # fmt: skip
    values = json.loads(re.search(r'id="values">(.*?)</script>', page, re.DOTALL)[1])["cells"]
    cell = values[f"{exhibit.name}/1/fid"]
    assert (cell["paper"], cell["paper_seeds"], cell["source"]) == ("40.0 ± 2.0", 3, "uncertain")
    cell = values[f"{exhibit.name}/1/accuracy"]
    assert (cell["paper"], cell.keys() & {"paper_seeds", "source"}) == ("95.0", set())


def test_show_has_it_in_words_and_in_json(monkeypatch, capsys):
    monkeypatch.setattr("harness.registry.papers.find_exhibits", lambda names: [(PRINTING, BESIDE)])
    assert main(["show", "table201"]) == 0
    lines = {line.split()[0]: squeezed(line) for line in capsys.readouterr().out.splitlines() if line}
    assert lines["Own"].startswith("Own 94.1 ± 0.2 (n = 5) 2.00 (n = 5) 150.25 ± 1.125 (n = 5) about 3 own ")
    assert lines["Mixed"].startswith("Mixed 95.0 2.50 (cited) 40.0 ± 2.0 (n = 3, uncertain) - own ")
    assert lines["Cited"].startswith("Cited 90.0 ± 12.0 - 3.0 - cited -")
    assert lines["Partly"].startswith("Partly 93.0 ± 0.04 (own) 2.20 60.0 5.00 cited ")
    assert main(["show", "table201", "--json"]) == 0
    mixed = json.loads(capsys.readouterr().out)["rows"][1]
    assert mixed["reported"] == {"accuracy": 95.0, "inception_score": 2.5, "fid": 40.0, "bpd": None}
    assert mixed["reported_sd"] == {"accuracy": None, "inception_score": None, "fid": 2, "bpd": None}
    assert mixed["reported_n"] == {"accuracy": None, "inception_score": None, "fid": 3, "bpd": None}
    assert mixed["source"] == "own"
    assert mixed["sources"] == {"accuracy": "own", "inception_score": "cited", "fid": "uncertain", "bpd": "own"}


def test_verdicts_go_by_the_source_of_the_cell(tmp_path):
    verdicts = {row.row.label: [cell.verdict.value for cell in row.cells] for row in report_of(tmp_path).rows}
    assert verdicts == {
        "Own": ["PASS", "not compared", "FAIL", "not compared"],
        "Mixed": ["PASS", "cited", "uncertain", "not reported"],
        "Cited": ["cited", "not reported", "cited", "not reported"],
        "Partly": ["PASS", "cited", "cited", "cited"],
        "Theirs": ["cited", "not reported", "not reported", "not reported"],
    }


def test_the_best_is_among_the_papers_own_values(tmp_path):
    report = report_of(tmp_path, value=lambda cell: 10.0 * len(cell.row.label))
    assert best_reported(report) == {("Mixed", "accuracy")}, "Theirs is cited; no other metric has two own values"
    assert best_measured(report).cells == {("Partly", "accuracy")}


def test_claims_and_rank_agreement_read_the_number(tmp_path):
    claims = (
        rises(ACCURACY, "Partly", "Own", "Mixed", "Theirs", says="s", where="w"),
        falls(FID, "Own", "Partly", "Mixed", says="s", where="w"),
        rises(BPD, "Own", "Partly", says="s", where="w"),
        rises(ACCURACY, "Own", "Cited", says="s", where="w"),
    )
    report = report_of(tmp_path, replace(BESIDE, claims=claims), value=lambda cell: float(len(cell.row.label)))
    assert [decision.printed.value for decision in report.claim_results] == ["holds", "holds", "holds", "fails"]
    assert {found.metric.key: found.rows for found in report.agreements} == {
        "accuracy": 4,
        "inception_score": 3,
        "fid": 3,
    }


def test_a_tolerance_is_around_the_number_whatever_its_deviation(tmp_path):
    own = report_of(tmp_path, value=lambda cell: 90.0).rows[0].cells[0]
    assert own.judgement.difference == pytest.approx(-4.1)
    assert own.judgement.tolerance == 100.0
