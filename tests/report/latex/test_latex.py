"""LaTeX: table contents, arbitrary results and labels compile and read correctly, and the PDF report."""

import math
import os
import random
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from reports import compile_latex, fill, needs_latex

from harness.errors import SpecError
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, PARAMETERS
from harness.registry.row import Row
from harness.report.latex.escape import OWN, UNWRITABLE, WRITABLE, character, tex
from harness.report.latex.notes import Notes
from harness.report.latex.numbers import as_text, in_cell, table_format
from harness.report.latex.table import table
from harness.report.results.cells import Measured
from harness.report.results.report import build
from harness.report.write import write, write_document, write_pdf
from harness.report.writers.answer import exhibit_answer
from harness.store.results import Results
from harness_papers.hybvit import PAPER

TABLES = {exhibit.name: exhibit for exhibit in PAPER.tables}
AT_PAPER = PAPER.scale("paper")
WIDEST_OVERRUN = 3.0
"""Tolerated overrun of a line, in points."""


def report_of(tmp_path, exhibit, scale=AT_PAPER, **how):
    fill(Results(tmp_path), PAPER, exhibit, scale, **how)
    return build(PAPER, exhibit, scale, Results(tmp_path))


def test_marks_of_remarks_go_on_after_z():
    notes = Notes()
    marks = [notes.letter(f"remark {number}") for number in range(60)]
    assert (marks[0], marks[25:29], marks[51:54]) == ("a", ["z", "aa", "ab", "ac"], ["az", "ba", "bb"])
    assert len(set(marks)) == 60
    assert notes.letter("remark 26") == "aa"


def near(exhibit, dice, share=0.004):
    """Return a function that gives values near the printed ones, all distinct."""

    def value(cell):
        reported = exhibit.reported_value(cell.row, cell.metric)
        return (10.0 if reported is None else reported) + dice.gauss(0, 1) * share * (1 + abs(reported or 0))

    return value


def text_of(pdf):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is missing: apt-get install poppler-utils")
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def fits(log):
    """Assert that no line overruns by much, every float fits on a page, and no label is defined twice."""
    overruns = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(overruns, default=0) <= WIDEST_OVERRUN
    assert "Float too large" not in log
    assert not re.findall(r"^LaTeX Warning: .*multiply defined", log, re.MULTILINE)


def squeezed(value):
    return re.sub(r"\s+", " ", value)


def test_what_siunitx_would_not_align_is_set_as_text():
    assert [in_cell(number) for number in ("26.4", "-3.0", "2000000.0", "1.0e+09", "NaN", "inf", "3 days")] == [
        "26.4", "-3.0", "2000000.0", None, None, None, None,
    ]  # fmt: skip
    assert as_text("-2.3e-07") == "\\ensuremath{-2.3\\times10^{-7}}"
    assert as_text("-inf") == "\\ensuremath{-\\infty}"
    assert table_format(["26.4", "-128.35", "7"]) == "-3.2"


def test_every_writable_character_compiles_without_bitmap_fonts(tmp_path):
    signs = [chr(code) for block in WRITABLE for code in block]
    written = {sign for sign in (*signs, *OWN) if not character(sign).startswith("[U+")}
    assert len(written) > 550
    assert not (written - OWN.keys()) & UNWRITABLE
    compile_latex(tmp_path, " ".join(tex(sign) for sign in sorted(written)))
    fonts = subprocess.run(["pdffonts", tmp_path / "paper.pdf"], capture_output=True, text=True, check=True).stdout
    assert "Type 3" not in fonts
    assert "Type 1" in fonts


HOSTILE = (
    "</script> 100%_of & # $x$ \\input{/etc/passwd} {a} a^b ~c | \"q\" 'q' -- done",
    "α ε L∞ ≤ “q” 日本 🎉 Ж done",
    f"{'word ' * 60}done",
    f"{'x' * 400}",
    "first\nsecond\ttab \x00 \\end{table} done",
)


def test_hostile_labels_compile_fit_and_read_as_they_are_written(tmp_path):
    rows = tuple(
        replace(row, label=f"{HOSTILE[i % 5]} {i}", note=HOSTILE[(i + 1) % 5] if i < 5 else "")
        for i, row in enumerate(TABLES["table6"].rows)
    )
    exhibit = replace(TABLES["table6"], title=HOSTILE[0], rows=rows, claims=())
    log = compile_latex(tmp_path, table(report_of(tmp_path, exhibit, seeds=2)))
    fits(log)
    said = squeezed(text_of(tmp_path / "paper.pdf"))
    assert '</script> 100%_of & # $x$ \\input{/etc/passwd} {a} a^b ~c | "q" ’q’ -- done (hybvit' in said
    assert "L∞ ≤ “q” [U+65E5][U+672C] [U+1F389] [U+0416] done" in said
    assert "irst second tab [U+0000] \\end{table}" in said  # the mark before it is on a line of its own
    assert len(re.findall("x{24,}", said)) > 5


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_all_tables_show_the_measured_values_beside_the_printed_ones(tmp_path, scale):
    dice = random.Random(scale)
    reports = [
        report_of(tmp_path / name, exhibit, PAPER.scale(scale), seeds=3, value=near(exhibit, dice))
        for name, exhibit in TABLES.items()
    ]
    fits(compile_latex(tmp_path, *map(table, reports)))
    said = squeezed(text_of(tmp_path / "paper.pdf"))
    shown = 0
    for report in reports:
        for row in report.rows:
            for cell in row.cells:
                if isinstance(cell.measured, Measured):
                    form = report.digits.form(cell.measured, cell.metric)
                    beside = "" if report.exhibit.readings or not form.sd else f" ± {form.sd}"
                    assert f"{form.mean}{beside}".replace("-", "−") in said, (report.name, row.row.key, cell.metric)
                    shown += 1
    assert shown > 200
    assert said.count("± is the standard deviation over 3 seeds (ddof 1)") == 12
    assert ("PASS" in said) == (scale == "paper")


@pytest.mark.parametrize("seed", range(2))
def test_partial_tables_with_broken_values_compile_and_fit(tmp_path, seed):
    dice = random.Random(seed)
    broken = [math.nan, math.inf, -math.inf, 1e9, 1e-7, -3.0, 12.5]
    reports = [
        report_of(
            tmp_path / name, exhibit, seeds=2,
            keep=lambda cell: dice.random() < 0.5, value=lambda cell: dice.choice(broken),
        )
        for name, exhibit in TABLES.items()
    ]  # fmt: skip
    fits(compile_latex(tmp_path, *map(table, reports)))
    said = text_of(tmp_path / "paper.pdf")
    assert {"NaN×", "∞×", "MISSING", "FAIL"} <= set(said.replace(",", " ").split())


def test_bold_is_the_best_of_the_papers_own_rows_on_either_side(tmp_path):
    exhibit = TABLES["table1"]
    values = {("ViT", "accuracy"): 90.0, ("HybViT", "accuracy"): 91.0}
    report = report_of(tmp_path, exhibit, value=lambda cell: values.get((cell.row.key, cell.metric.key), 5.0))
    lines = {line.split(" & ")[0]: line for line in table(report).splitlines() if " & " in line}
    assert lines["ViT"].startswith("ViT & \\bfseries 96.5 & 90.0")
    assert lines["HybViT"].startswith("HybViT & 95.9 & \\bfseries 91.0")
    assert "\\bfseries 8.17 & 5.00" in lines["GenViT"], "equal values are no best"
    assert not any("bfseries" in line for name, line in lines.items() if name.startswith(("WRN", "JEM", "DDPM")))
    assert "bfseries" not in table(report_of(tmp_path / "8", TABLES["table8"]))


ROUNDING = "round-mode=places,round-precision=1,"
MEDDLING = (
    f"{ROUNDING}input-decimal-markers={{,}},exponent-mode=scientific,drop-zero-decimal,minimum-integer-digits=3,"
    "print-implicit-plus,group-digits=all,group-minimum-digits=2,input-digits={12345},input-ignore={7},"
    "input-uncertainty-signs={.},input-exponent-markers={.},table-auto-round,table-column-width=1cm,locale=DE,"
    "table-alignment-mode=none,parse-numbers=false,print-zero-integer=false,text-series-to-math=false"
)


def test_settings_of_a_document_change_no_digit_of_a_table_and_hold_behind_it(tmp_path):
    values = {"accuracy": 97.22, "inception_score": 0.04, "fid": -128.35}
    report = report_of(
        tmp_path, TABLES["table6"], seeds=2, value=lambda cell: values[cell.metric.key] + 0.07 * cell.seed
    )
    own = table(report)
    compile_latex(tmp_path, f"\\sisetup{{{ROUNDING}}}{own} Behind \\num{{4.47}} it.")
    rounded = text_of(tmp_path / "paper.pdf")
    assert "Behind 4.5 it." in squeezed(rounded)
    assert {"7.68", "4.74"} <= set(rounded.split())
    fits(compile_latex(tmp_path, f"\\sisetup{{{MEDDLING}}}{own} Behind 4.5 it."))
    assert text_of(tmp_path / "paper.pdf") == rounded


def test_what_is_best_must_be_a_metric_that_can_be():
    row = Row("a", None, reported=(1.0,))
    with pytest.raises(SpecError, match="fid"):
        Table(number=1, title="t", metrics=(ACCURACY,), rows=(row,), best=(FID,))
    with pytest.raises(SpecError, match="no value of parameters_m is better"):
        Table(number=1, title="t", metrics=(PARAMETERS,), rows=(row,), best=(PARAMETERS,))


def test_deviations_are_footnotes(tmp_path):
    source = table(report_of(tmp_path, TABLES["table13"]))
    assert "GenViT\\textsuperscript{b}" in source
    assert "IGEBM\\textsuperscript{\\ensuremath{\\dagger}}" in source
    assert "Printed in words, which are taken to mean 3,840." in source
    assert "Faster than ViT here, slower in Table 8" in source
    expected = table(report_of(tmp_path / "7", TABLES["table7"], value=lambda cell: 0.0))
    assert "Expected to fail: the value of HybViT(ps=8) to the last digit" in expected
    assert "XFAIL" in expected


def test_a_table_longer_than_a_page_goes_on_in_further_floats(tmp_path):
    rows = tuple(
        replace(TABLES["table6"].row("HybViT"), label=f"row {i}", section=f"part {i // 60}") for i in range(150)
    )
    exhibit = replace(TABLES["table6"], rows=rows, claims=())
    source = table(report_of(tmp_path, exhibit))
    assert source.count("\\begin{table}") == 4
    assert source.count("\\label{") == 1
    log = compile_latex(tmp_path, source)
    fits(log)
    said = text_of(tmp_path / "paper.pdf")
    assert [said.count(f"row {i} ") for i in range(150)] == [1] * 150
    assert "part 0 (continued)" in said


def results_with(tmp_path, *names, seeds=1):
    results, scale = Results(tmp_path), PAPER.scale("laptop")
    exhibits = [exhibit for exhibit in PAPER.exhibits if exhibit.name in names]
    for exhibit in exhibits:
        fill(results, PAPER, exhibit, scale, seeds=seeds)
    reports = [build(PAPER, exhibit, scale, results) for exhibit in exhibits]
    for report in reports:
        write(report, ["latex"], results)
    return reports, write_document(PAPER, reports, results)


def test_the_report_is_one_pdf_with_verdicts_and_claims_on_top(tmp_path):
    needs_latex()
    reports, source = results_with(tmp_path, "table5", "table12")
    made = write_pdf(source, reports)
    assert (made.pdf, made.problem) == (source.parent / "report.pdf", "")
    assert sorted(path.name for path in source.parent.iterdir() if path.is_file()) == [
        "report.pdf", "report.tex", "table12.tex", "table5.tex",
    ]  # fmt: skip
    said = squeezed(text_of(made.pdf))
    order = ["1 Summary", "Reported values (90)", "2 Claims of the paper", "3 Tables", "Table 5:", "Table 12:"]
    assert [said.index(text) for text in order] == sorted(said.index(text) for text in order)
    assert "With more training epochs, the accuracy gap between ViT and HybViT decreases." in said
    before = made.pdf.read_bytes()
    assert write_pdf(source, reports).pdf.read_bytes() == before


def test_the_answer_is_a_comment_in_the_files_of_exhibits_and_not_in_captions(tmp_path):
    figure8 = next(exhibit for exhibit in PAPER.figures if exhibit.name == "figure8")
    for exhibit in (TABLES["table6"], figure8):
        report = report_of(tmp_path / exhibit.name, exhibit, PAPER.scale("laptop"))
        (path,) = write(report, ["latex"], Results(tmp_path / exhibit.name))
        needs, says, *lines = path.read_text().splitlines()
        assert needs.startswith(f"% hybvit/{exhibit.name}, scale laptop; needs ")
        assert says == f"% {exhibit_answer(report)}"
        assert not any("--decide" in line or "at laptop scale" in line for line in lines)


def test_every_answer_stands_above_its_table_on_the_same_page(tmp_path):
    needs_latex()
    reports, source = results_with(tmp_path, "table1", "table5", "table6", "table7", "table12", seeds=2)
    long = replace(
        TABLES["table6"],
        rows=tuple(replace(TABLES["table6"].row("HybViT"), label=f"row {i}", section="") for i in range(110)),
        claims=(), number=99,
    )  # fmt: skip
    reports.append(report_of(tmp_path, long, PAPER.scale("laptop")))
    write(reports[-1], ["latex"], Results(tmp_path))
    source = write_document(PAPER, reports, Results(tmp_path))
    for _ in range(2):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", source.name]
        subprocess.run(command, cwd=source.parent, capture_output=True, timeout=300, check=True)
    log = source.with_suffix(".log").read_text(errors="replace")
    fits(log)
    assert "Overfull \\vbox" not in log
    pages = [squeezed(page) for page in text_of(source.with_suffix(".pdf")).split("\f")]
    for report in reports:
        says, caption = squeezed(exhibit_answer(report).replace("`", "")), f"Table {report.exhibit.number}: "
        (page,) = [page for page in pages if caption in page]
        assert f"{says} {caption}" in page.replace("’", "'"), (report.name, page)


def test_without_tex_a_line_says_what_to_install(tmp_path, monkeypatch):
    reports, source = results_with(tmp_path, "table4")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = write_pdf(source, reports)
    assert made.pdf is None
    assert "pdflatex not found; install with: sudo apt-get install" in made.problem
    assert "\n" not in made.problem
    assert (source.parent / "table4.tex").exists()


def test_an_error_of_tex_is_a_line_that_names_the_log(tmp_path):
    needs_latex()
    reports, source = results_with(tmp_path, "table4")
    broken = source.parent / "table4.tex"
    broken.write_text("\\input{/etc/hostname}\n\\undefined")
    made = write_pdf(source, reports)
    assert made.pdf is None
    assert made.problem.startswith("no PDF of the report: pdflatex stopped at ")
    assert str(source.parent / "report.log") in made.problem
    assert "\n" not in made.problem
    assert "/etc/hostname" in (source.parent / "report.log").read_text(errors="replace")
    assert broken.read_text().endswith("\\undefined")
    table_again, _ = results_with(tmp_path, "table4")
    assert write_pdf(source, table_again).pdf
    assert not (source.parent / "report.log").exists()


def test_a_document_that_never_ends_is_given_up(tmp_path):
    needs_latex()
    from harness.report.latex.typeset import typeset

    source = tmp_path / "report.tex"
    source.write_text("\\def\\again{\\again}\\again")
    assert "did not finish within 1 s" in typeset(source, [], timeout_seconds=1).problem
    assert sorted(os.listdir(tmp_path)) == [
        "report.log", "report.tex",
    ]  # fmt: skip


def test_a_document_cannot_run_commands_or_read_elsewhere(tmp_path):
    needs_latex()
    from harness.report.latex.typeset import typeset

    secret = tmp_path / "secret.tex"
    secret.write_text("secret words")
    folder = tmp_path / "report"
    folder.mkdir()
    source = folder / "report.tex"
    body = f"\\immediate\\write18{{touch {tmp_path}/ran}}x\\InputIfFileExists{{{secret}}}{{}}{{}}"
    source.write_text(f"\\documentclass{{article}}\\begin{{document}}{body}\\end{{document}}")
    made = typeset(source, [])
    assert not (tmp_path / "ran").exists()
    assert made.pdf is None or "secret words" not in text_of(made.pdf)
