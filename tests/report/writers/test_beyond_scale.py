"""Claims beyond a scale in every format: counted apart, with the reason and the measurement behind it."""

import json
from pathlib import Path

import jsonschema
import pytest
from curves import draw
from reports import fill
from toy_paper import HYBRID, PAPER

from harness.registry.claims import falls
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.presuppositions import at_least, comparable_operations, levelled_off
from harness.registry.row import Row
from harness.registry.scale import Scale
from harness.registry.scale_rules import Rules, everywhere
from harness.report.html.claims_list import claims_view
from harness.report.html.write import write_pages
from harness.report.results.report import build
from harness.report.write import write_document
from harness.report.writers import claims_list
from harness.report.writers.answer import brief_answer
from harness.report.writers.csv_json import FORMAT, to_json
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / f"report-{FORMAT}.schema.json").read_text())
ROWS = (
    Row("A", HYBRID, (50.0, 2.0)),
    Row("B", HYBRID.but(alpha=1), (50.0, 1.0)),
    Row("Long", HYBRID.but(epochs=8), (50.0, 1.0)),
)
NEEDS = {
    "It classifies.": (at_least(ACCURACY, 10, "A"), at_least(ACCURACY, 50, "A", "B")),
    "It has levelled off.": levelled_off("A", ACCURACY, within=2.5),
    "Its training has.": levelled_off("A", FID, since=0.2, loss="denoising", loss_within=0.03),
    "It is as long.": comparable_operations("Long", "A"),
    "It is named.": (),
    "It holds.": at_least(ACCURACY, 10, "A"),
}
EVIDENCE = {
    "It classifies.": "It presupposes that Acc of A, B is 50 % or more; measured: A 30.0, B 20.0",
    "It has levelled off.": "It presupposes that Acc of A levels off, changing by 2.5 points at most over the last 3 "
    "tenths of the training; measured: 70.0 to 73.5, by 3.5 points",
    "Its training has.": "It presupposes that the loss 'denoising', for want of FD(digits), of A levels off, changing "
    "by 3 % at most after 2 tenths of the training; measured: 0.5 to 0.3, by 40 %",
    "It is as long.": "It presupposes that training Long takes as many times the operations of A as at paper scale, up "
    "to a factor of 2; measured: 1 times, at paper scale 4 times",
    "It is named.": "The stand-in has no faces",
}
SCALE = Scale(
    "small", "n", comparable=False, rules=Rules((everywhere(epochs=1),)),
    beyond={("table7", "It is named."): "the stand-in has no faces"},
)  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    results = Results(tmp_path_factory.mktemp("results"))
    values = {"A": 30.0, "B": 20.0, "Long": 20.0}
    fill(results, PAPER, table(), SCALE, seeds=2, value=lambda cell: values[cell.row.label])
    epochs = range(1, 11)
    draw(
        results,
        test_accuracy=[{7: 70.0, 10: 73.5}.get(at, 50.0) for at in epochs],
        denoising=[{2: 0.5, 10: 0.3}.get(at, 9.0) for at in epochs],
    )
    return results


def table():
    claims = tuple(falls(FID, "A", "B", says=says, where="§1", needs=needs) for says, needs in NEEDS.items())
    return Table(number=7, title="t", metrics=(ACCURACY, FID), rows=ROWS, claims=claims)


@pytest.fixture
def report(results):
    return build(PAPER, table(), SCALE, results)


def squeezed(text):
    return " ".join(text.split())


def test_the_terminal_has_status_reason_and_interval(report):
    said = squeezed(terminal(report))
    for says, evidence in EVIDENCE.items():
        assert f"beyond this scale §1 {says} FD(digits): A 30.0, B 20.0 B - A = -10.0" in said
        assert f"{evidence[0].upper()}{evidence[1:]}" in said
    assert "holds §1 It holds." in said
    assert said.count("presupposes") == 4
    assert brief_answer(report) == "1 of 6 claims holds, 0 fail, 5 are beyond this scale"


def test_the_list_counts_them_apart(report):
    assert claims_list.summary([report]).startswith("6 claims: 0 fail, 1 holds, 0 undecided, 5 beyond this scale. By ")
    assert "0 fail, 6 hold, 0 undecided, 0 not printed." in claims_list.summary([report])
    said = squeezed(claims_list.terminal([report]))
    assert said.index("Holds (1)") < said.index("Beyond this scale (5)") < said.index(EVIDENCE["It classifies."])
    assert "1 claim is decided by values" in said or "claims are decided" not in said


def test_markdown_has_a_line_for_each(report):
    for text in (markdown(report), claims_list.markdown([report])):
        lines = [line for line in text.splitlines() if line.startswith("| beyond this scale")]
        assert len(lines) == 5
        assert all(any(evidence in line for line in lines) for evidence in EVIDENCE.values())


def test_the_page_marks_counts_and_explains_them(report, results):
    view = claims_view([report])
    assert [(mark.word, count) for mark, count in view.counts] == [
        ("fails", 0), ("holds", 1), ("undecided", 0), ("beyond this scale", 5),
    ]  # fmt: skip
    assert [mark.word for mark, _ in view.printed] == ["fails", "holds", "undecided"]
    assert [claim.remarks.partition(". ")[2] for claim in view.claims[1:]] == list(EVIDENCE.values())
    assert all(claim.contrasts[0].plot for claim in view.claims)
    (page,) = write_pages([report], results, [])
    html = page.read_text()
    assert html.count('<li data-status="beyond this scale">') == 5
    assert '<symbol id="i-beyond"' in html
    assert "is beyond this scale if the runs lack what it presupposes" in squeezed(html)


def test_the_pdf_lists_them(report, results):
    source = write_document(PAPER, [report], results).read_text()
    assert "\\subsection*{Beyond this scale (5)}" in source
    assert "\\multicolumn{1}{r}{beyond}" in source
    assert "\\multicolumn{4}{c}{claims} \\\\ \\cmidrule(l){5-8}" in source
    assert "The stand-in has no faces" in source


def test_json_has_every_presupposition_with_its_measurement(report):
    document = json.loads(json.dumps(to_json(report)))
    jsonschema.Draft202012Validator(SCHEMA).validate({**document})
    claims = {claim["says"]: claim for claim in document["claims"]}
    assert [claim["status"] for claim in claims.values()] == ["beyond this scale"] * 5 + ["holds"]
    assert claims["It is named."]["reason"] == "the stand-in has no faces"
    assert claims["It is named."]["presupposes"] == []
    assert claims["It holds."]["presupposes"] == [
        {"says": "Acc of A is 10 % or more", "met": True, "measured": "30.0", "values": [30.0]}
    ]
    (levelled,) = claims["It has levelled off."]["presupposes"]
    assert (levelled["met"], levelled["values"]) == (False, [70.0, 73.5])
    assert all(claim["contrasts"][0]["status"] == "holds" for claim in claims.values())
    ledger = {"format": FORMAT, "answers": {}, "claims": claims_list.to_json([report])}
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(ledger)))
