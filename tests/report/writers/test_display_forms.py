"""Every writer shows the same display form of each cell: on real results, and on values that no format expects."""

import csv as standard
import json
import math
import re
from html import unescape
from pathlib import Path

import pytest
from printed import BESIDE, PRINTING, STACKED
from reports import fill

from harness.bundle.reading import open_bundle
from harness.registry.digits import decimals
from harness.registry.papers import find_exhibits
from harness.report.html.write import write_pages
from harness.report.latex.table import table as latex
from harness.report.results.cells import Measured
from harness.report.results.report import build
from harness.report.writers.claim_evidence import claim_evidence
from harness.report.writers.csv_json import csv, json_text
from harness.report.writers.table_cells import CellKind, Role
from harness.report.writers.table_layout import grids
from harness.report.writers.text_markdown import markdown, terminal
from harness.store.results import Results

REFERENCE = Path(__file__).parents[3] / "results" / "reference"
MEASURED = (Role.OURS, Role.READING, Role.SECONDARY)
HOSTILE = (
    (0.0, 0.0, 0.0),
    (-0.0, -0.0, -0.0),
    (-1e-13, 1e-13, 2e-13),
    (1e9, 1.5e9, 4e9),
    (1e-9, 3e-9, 2e-9),
    (math.nan, 1.0, 2.0),
    (math.inf, 1.0, 2.0),
    (1.0, 50.0, -40.0),
    (-0.04, -0.04, -0.04),
    (12.34567,),
    (12.34567, 12.34568),
    (999.96, 999.97, 1000.05),
    (3e5, -3e7, 1e300),
    (-math.inf,),
)
"""Values over seeds: zero, huge, tiny, not finite, negative zero, a deviation beyond the mean, few seeds."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    with open_bundle(REFERENCE, tmp_path_factory.mktemp("report")) as bundle:
        yield bundle.results


def of_reference(name, results):
    ((paper, exhibit),) = find_exhibits([f"hybvit/{name}"])
    return build(paper, exhibit, paper.scale("laptop"), results), results


def hostile(tmp_path, exhibit, first):
    """Return a report whose cells have the hostile values in turn, beginning with the `first`."""
    places = {}

    def of(cell):
        place = places.setdefault((cell.run.but(seed=0).id, cell.evaluation.id, cell.metric.key), len(places))
        return HOSTILE[(place + first) % len(HOSTILE)]

    results, scale = Results(tmp_path), PRINTING.scale("laptop")
    fill(
        results, PRINTING, exhibit, scale, seeds=3,
        keep=lambda cell: cell.seed < len(of(cell)), value=lambda cell: of(cell)[cell.seed],
    )  # fmt: skip
    return build(PRINTING, exhibit, scale, results), results


def expected(report, cells_of=lambda row: row.cells):
    """Return the display form of every measured value, by row, metric and reading."""
    return {
        (row.row.key, cell.metric.key, name): str(report.digits.form(value, cell.metric))
        for row in report.rows
        for cell in cells_of(row)
        for name, value in [("", cell.measured), *cell.readings.items()]
        if isinstance(value, Measured)
    }


def in_grids(report):
    """Return the text of every measured value in the tables, in the order of lines and columns."""
    return [
        [str(cell) for cell in line if cell.role in MEASURED and cell.kind is CellKind.NUMBER]
        for grid in grids(report)
        for line in grid.lines
    ]


def in_lines(text, lines):
    """Assert that lines of a text have these numbers, in order, whatever else they have."""
    rest = iter(text.splitlines())
    for numbers in filter(None, lines):
        wanted = re.compile(".*".join(rf"(?<![\w.]){re.escape(number)}(?![\w.])(?! ±)" for number in numbers))
        assert any(wanted.search(line) for line in rest), numbers


def latex_as_text(source):
    """Return the lines of a LaTeX table as text, with the lines of deviations joined to those of their means."""
    for pattern, text in (
        (r"\\textsuperscript\{(?:\\ensuremath\{[^}]*\}|[^{}])*\}", ""),
        (r"\\ensuremath\{([\d.-]+)\\times10\^\{(-?\d+)\}\}", lambda m: f"{m[1]}e{int(m[2]):+03d}"),
        (r"\\ensuremath\{(-?)\\infty\}", r"\1inf"),
        (r" & \\,\\ensuremath\{\\pm\}\\,", " ± "),
        (r"\\,\\ensuremath\{\\pm\}\\,", " ± "),
        (r"\\bfseries |[{}]", ""),
    ):
        source = re.sub(pattern, text, source)
    lines = []
    for line in source.splitlines():
        if line.startswith(" & \\ensuremath\\pm"):
            pairs = zip(lines.pop().split(" & "), line.removesuffix(" \\\\").split(" & "), strict=True)
            line = " & ".join(f"{mean} ± {sd}" if sd and sd != "\\ensuremath\\pm" else mean for mean, sd in pairs)
        lines.append(line.removesuffix(" \\\\"))
    return "\n".join(lines)


def in_csv(report):
    lines = standard.DictReader(csv(report).splitlines(), strict=True)
    keys = {(row.row.section, row.row.name): row.row.key for row in report.rows}
    return {
        (keys[line["section"], line["row"]], line["metric"], line["protocol"]): line["measured_text"]
        for line in lines
        if line["measured"]
    }


def in_json(report):
    return {
        (row["key"], metric, name): value["text"]
        for row in json.loads(json_text(report))["rows"]
        for metric, cell in (row["cells"] | row["further"]).items()
        for name, value in [("", cell["measured"]), *cell["readings"].items()]
        if value
    }


def on_page(report, results):
    """Return the values of the page, by row, metric and reading: those of its tables, and those behind its cells."""
    page = write_pages([report], results, [])[0].read_text(encoding="utf-8")
    number = r'<span class="n[^"]*">(.*?)</span>(?:<span class="sd[^"]*">(.*?)</span>)?'
    shown = {
        unescape(key): " ".join(filter(None, found.groups()))
        for key, cell in re.findall(r'data-cell="([^"]*)">(.*?)<span class="hidden"', page, re.DOTALL)
        if (found := re.match(number, cell))
    }
    values = json.loads(re.search(r'id="values">(.*?)</script>', page, re.DOTALL)[1])["cells"]
    behind = {key: cell["ours"] for key, cell in values.items() if "ours" in cell}
    assert shown == behind
    places = {f"{report.exhibit.name}/{place}": row.row.key for place, row in enumerate(report.rows)}
    return {(places[key.rpartition("/")[0]], key.rpartition("/")[2], ""): text for key, text in shown.items()}


def check(report, results):
    forms = expected(report)
    assert forms
    lines = in_grids(report)
    assert sorted(text for line in lines for text in line) == sorted(forms.values())
    in_lines(terminal(report), lines)
    in_lines(markdown(report).replace("**", ""), lines)
    in_lines(latex_as_text(latex(report)), lines)
    own = {key: text for key, text in forms.items() if not key[2]}
    assert on_page(report, results) == own
    everything = expected(report, lambda row: (*row.cells, *row.secondary))
    assert in_csv(report) == everything
    assert in_json(report) == everything
    equal_decimals(report)


def equal_decimals(report):
    """Assert that the means of a column have equal decimals, and deviations their own."""
    columns = {}
    for row in report.rows:
        for cell in row.cells:
            if isinstance(cell.measured, Measured):
                form = report.digits.form(cell.measured, cell.metric)
                if re.fullmatch(r"-?\d+(\.\d+)?", form.mean):
                    columns.setdefault(cell.metric, set()).add(len(form.mean.partition(".")[2]))
                if form.sd and "e" not in form.sd and (own := decimals(cell.measured.sd, 12)) is not None and own <= 3:
                    most = cell.metric.decimals + 2
                    assert len(form.sd.partition(".")[2]) == min(own, most)
    assert all(len(found) == 1 for found in columns.values()), columns


@pytest.mark.parametrize("name", ["table2", "table4", "table6", "table8", "table11", "table12"])
def test_all_writers_agree_on_the_reference_results(reference, name):
    report, results = of_reference(name, reference)
    check(report, results)
    for result in report.claim_results:
        said = str(claim_evidence(result, report))
        for contrast in result.contrasts:
            for term in contrast.contrast.terms if len(contrast.contrast.terms) == 2 else ():
                cell = next(cell for cell in report_row(report, term.row).cells if cell.metric == term.metric)
                assert f"{term.row} {report.digits.form(cell.measured, cell.metric).mean}" in said


def report_row(report, key):
    return next(row for row in report.rows if row.row.key == key)


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 3))
@pytest.mark.parametrize("exhibit", [BESIDE, STACKED], ids=["beside", "stacked"])
def test_all_writers_agree_on_hostile_values(tmp_path, exhibit, first):
    check(*hostile(tmp_path, exhibit, first))


def test_forms_of_the_reference_results(reference):
    """A deviation has one digit, or two up to 35; a mean has the decimals of its column, the paper's at least."""
    report, _ = of_reference("table6", reference)
    forms = expected(report)
    assert forms["HybViT(α=1)", "fid", ""] == "101.9 ± 19"
    assert forms["HybViT(α=10)", "fid", ""] == "44.2 ± 2.0"
    assert forms["HybViT", "accuracy", ""] == "97.22 ± 0.28"
    assert forms["HybViT(head=6)", "accuracy", ""] == "96.39 ± 0.0"
    (claim,) = [one for one in report.claim_results if "costs only a small drop" in one.claim.says]
    assert "HybViT - α=1 = -1.9, 95 % interval -2.8 to -0.9 (claimed > -2)" in str(claim_evidence(claim, report))
    of_times, _ = of_reference("table8", reference)
    assert expected(of_times)["ViT-based Models: ViT(d=384)", "runtime_hours", ""] == "0.002603 ± 0.000031"


@pytest.mark.parametrize("name", ["table4", "table6", "table11"])
def test_plus_minus_is_a_deviation_everywhere(reference, name):
    """Differences and tolerances have none: the number of ± is that of deviations."""
    report, _ = of_reference(name, reference)
    deviations = sum(" ± " in text for text in expected(report).values())
    assert terminal(report).count("±") == deviations + 1, "and one in the note that says what it is"
