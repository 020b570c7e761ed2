"""The sentence first: what it says of full, partial and empty exhibits, and that every format says the same."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from reports import fill

from harness.registry.claims import in_abstract
from harness.registry.papers import papers
from harness.report.html.write import write_pages
from harness.report.latex.document import document
from harness.report.latex.figure import figure
from harness.report.latex.table import table as latex
from harness.report.results.claims import ClaimStatus
from harness.report.results.remaining_time import RemainingTime
from harness.report.results.report import build
from harness.report.write import write_document
from harness.report.writers import claims_list
from harness.report.writers.answer import answers, brief_answer, exhibit_answer, formatted, paper_answer, to_json
from harness.report.writers.overview import overview
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

PAPER = papers()["hybvit"]
EXHIBITS = {exhibit.name: exhibit for exhibit in PAPER.exhibits}
RISING = {row.key: place for place, row in enumerate(EXHIBITS["table6"].rows)}
NOTHING_COMPARED = "Values cannot be compared at this scale."


@pytest.fixture
def report(tmp_path):
    """Return the report of an exhibit whose cells have values, by default a constant with little noise."""

    def of(name, scale="laptop", rows=None, exhibit=None, remaining_time=None, **how):
        results, exhibit = Results(tmp_path), exhibit or EXHIBITS[name]
        how = {"seeds": 3, "value": lambda cell: 10.0 + cell.seed / 1000} | how
        if how["seeds"]:
            fill(results, PAPER, exhibit, PAPER.scale(scale), **how)
        chosen = [row for row in exhibit.rows if row.key in rows] if rows else None
        built = build(PAPER, exhibit, PAPER.scale(scale), results, (), chosen)
        return replace(built, remaining_time=remaining_time or built.remaining_time)

    return of


def test_a_full_table_counts_its_claims(report):
    says = exhibit_answer(report("table6", value=lambda cell: 100.0 * (1 + RISING[cell.row.key]) + cell.seed / 100))
    first, _, rest = says.partition(": ")
    assert first == "Table 6 at laptop scale"
    numbers = re.match(r"(\d+) of 12 claims hold, (\d+) fail\. ", rest)
    assert numbers and sum(map(int, numbers.groups())) == 12
    assert says.endswith(NOTHING_COMPARED)


def test_undecided_claims_name_the_command_and_its_time(report):
    noisy = report("table6", value=lambda cell: 10.0 + (3.0, -2.0, 0.5)[cell.seed] * (1 + RISING[cell.row.key] % 3))
    found = to_json([noisy])
    assert found["claims"]["need_seeds"] > 1
    assert f"{found['claims']['need_seeds']} need more seeds (`run table6 --decide`, about 10 s)" in found["says"]
    assert found["decide"] == {"command": "run table6 --decide", "seconds": pytest.approx(15, abs=15)}


def test_one_seed_is_said(report):
    assert exhibit_answer(report("table6", seeds=1)).startswith("Table 6 at laptop scale (one seed): ")


@pytest.mark.parametrize(
    ("remaining_time", "time"), [(None, ""), (RemainingTime(2, {"a": 100.0, "b": 140.0}), ", about 2 min")]
)
def test_an_empty_table_says_what_to_run(report, remaining_time, time):
    empty = report("table6", seeds=0, remaining_time=remaining_time)
    assert exhibit_answer(empty) == f"Table 6 at laptop scale: nothing is measured yet (`run table6`{time})."
    assert brief_answer(empty) == "nothing is measured yet"


def test_a_partial_table_tells_missing_runs_from_missing_seeds(report):
    part = report("table6", keep=lambda cell: cell.row.name in ("HybViT", "HybViT(α=1)"))
    says = exhibit_answer(part)
    assert says.startswith("Table 6 at laptop scale (6 of 36 values measured): ")
    assert "10 are not measured yet (`run table6`)" in says
    assert to_json([part])["claims"]["need_runs"] == 10


def test_cited_values_need_the_papers_scale(report):
    says = exhibit_answer(report("table13"))
    assert says == f"Table 13 at laptop scale: the one claim needs the paper's scale. {NOTHING_COMPARED}"
    assert to_json([report("table13")])["claims"]["need_paper_scale"] == 1


def test_claims_that_seeds_do_not_help_are_said_apart(report):
    times = report("table8", value=lambda cell: 10.0 + (3.0, -2.0, 0.5)[cell.seed])
    found = to_json([times])
    assert found["claims"]["seeds_do_not_help"] > 1
    number = found["claims"]["seeds_do_not_help"]
    assert f"{number} are not helped by seeds (`plan table8 --decide` says why)" in found["says"]
    assert "`run" not in found["says"]
    assert found["decide"] is None


@pytest.mark.parametrize(
    ("name", "says"),
    [("figure4", "all 2 values are measured"), ("figure10", "its value is measured")],
)
def test_a_figure_without_claims_counts_its_values(report, name, says):
    number = name.removeprefix("figure")
    assert exhibit_answer(report(name)) == f"Figure {number} at laptop scale: no claim to check; {says}."
    assert brief_answer(report(name)) == says


def test_rows_restrict_the_answer_and_its_command(report):
    rows = ["HybViT(depth=6)", "HybViT(depth=12)"]
    says = exhibit_answer(report("table6", rows=rows, seeds=1, keep=lambda cell: cell.row.key == rows[0]))
    assert says.startswith("Table 6 at laptop scale (2 of 13 rows, 3 of 6 values measured, one seed): 0 of 2 claims")
    assert "(`run table6 --rows 'HybViT(depth=6)' --rows 'HybViT(depth=12)'`)" in says


def test_at_paper_scale_the_second_sentence_is_about_values(report):
    of = EXHIBITS["table6"].reported
    good = report("table6", "paper", value=lambda cell: of(cell.row, cell.metric) + (cell.seed - 1) / 1000)
    assert exhibit_answer(good).endswith(". 36 of 36 values agree, 0 fail.")
    off = report(
        "table6", "paper", value=lambda cell: (of(cell.row, cell.metric) + 50 * (cell.row.key == "HybViT")) or 0.0
    )
    assert exhibit_answer(off).endswith(". 33 of 36 values agree, 3 fail.")
    assert brief_answer(off).endswith("; 33 of 36 values agree, 3 fail")


def test_inconclusive_values_are_neither(report):
    of = EXHIBITS["table6"].reported
    wide = report(
        "table6",
        "paper",
        value=lambda cell: of(cell.row, cell.metric) + (-100, 0, 100)[cell.seed] + 50 * (cell.row.key == "HybViT"),
    )
    assert exhibit_answer(wide).endswith(". 33 of 36 values agree, 0 fail, 3 are inconclusive.")


@pytest.mark.parametrize(
    ("holding", "says"),
    [
        (10, "10 of 12 claims hold, 0 fail, 2 are beyond this scale."),
        (11, "11 of 12 claims hold, 0 fail, 1 is beyond this scale."),
        (1, "1 of 12 claims holds, 0 fail, 11 are beyond this scale."),
        (0, "12 claims are beyond this scale."),
    ],
)
def test_claims_beyond_the_scale_are_counted_apart(report, holding, says):
    made = report("table6")
    results = tuple(
        replace(result, status=ClaimStatus.HOLDS if place < holding else ClaimStatus.BEYOND)
        for place, result in enumerate(made.claim_results)
    )
    assert exhibit_answer(replace(made, claim_results=results)) == (
        f"Table 6 at laptop scale: {says} {NOTHING_COMPARED}"
    )


def test_commands_at_another_scale_name_it(report):
    assert exhibit_answer(report("table6", "paper", seeds=0)).endswith("yet (`run table6 --scale paper`).")


def test_the_abstracts_claims_come_first(report, tmp_path):
    table1, table4 = report("table1"), report("table4")
    says = paper_answer([table1, table4])
    assert says.startswith("hybvit at laptop scale (2 of 33 tables and figures): ")
    assert re.search(r": \d of the abstract's 3 claims holds?, \d fails?, .*; in all, \d of \d claims holds?, ", says)
    marked = [result.claim.says for result in table1.claim_results if result.claim.abstract]
    assert len(marked) == 3
    lines = overview([table1, table4], [table4]).splitlines()
    first = " ".join(lines)
    assert first.startswith(says[:60])
    assert [any(claim in line for line in lines[1:8]) for claim in marked] == [True] * 3
    ledger = claims_list.terminal([table4, table1])
    assert ledger.index("Of the abstract (3)") < ledger.index("Undecided (")
    assert all(ledger.index(claim) < ledger.index("Undecided (") for claim in marked)
    rows = [line for line in claims_list.markdown([table4, table1]).splitlines() if line.startswith("| ")][1:]
    assert ["abstract, §5.1" in row for row in rows] == [True] * 3 + [False] * 5
    typeset = write_document(PAPER, [table4, table1], Results(tmp_path)).read_text()
    assert typeset.index("The claims of the abstract:") < typeset.index("\\section{Summary}")


def test_every_format_says_it_first(report, tmp_path):
    made, drawn = report("table6"), report("figure6")
    both = [made, drawn]
    typeset = document(PAPER, both, {"figure6": ["figure6.pdf"]})
    typeset = re.sub(r"\\texttt\{([^}]*\{\}[^}]*|[^}]*)\}", r"\1", typeset).replace("-{}-", "--")
    for one, tex in ((made, latex(made)), (drawn, figure(drawn, "figure6.pdf"))):
        says = exhibit_answer(one)
        plain = says.replace("`", "")
        assert " ".join(terminal(one).split()).startswith(says)
        assert markdown(one).split("\n\n")[1].replace("\\", "") == says
        assert f"\\answer{{{plain}}}" in typeset
        assert tex.splitlines()[1] == f"% {says}"
        assert to_json([one])["says"] == says
    page = unescape(write_pages(both, Results(tmp_path), [])[0].read_text())
    shown = [re.sub("</?code>", "`", found) for found in re.findall(r'<p class="answer">(.*?)</p>', page)]
    assert shown == [paper_answer(both), *map(exhibit_answer, both)]
    assert page.index('<p class="answer">') < page.index("Summary</h2>")
    assert answers(both) == [paper_answer(both)]


def test_markup_in_an_answer_is_escaped():
    assert formatted("a <b> (`run x`).", str.upper, lambda command: f"[{command}]") == "A <B> ([run x])."


def test_overviews_have_a_line_for_each_exhibit(report):
    both = [report("table6"), report("figure4")]
    lines = overview(both, both).splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("table", "figure"))] == ["table6", "figure4"]
    assert lines[-1].endswith("all 2 values are measured") or lines[-2].endswith("all 2 values are measured")


def test_json_has_the_numbers(report):
    found = json.loads(json.dumps(to_json([report("table6", remaining_time=RemainingTime(2, {"a": 60.0}))])))
    assert sum(found["claims"]["by_status"].values()) == 12
    assert found["abstract"]["by_status"]["holds"] == 0


def test_marking_a_claim_changes_nothing_else():
    claim = EXHIBITS["table6"].claims[0]
    assert in_abstract(claim) == replace(claim, abstract=True)
