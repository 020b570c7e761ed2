"""Writes reports into the results directory."""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.config.base import sha256_of_json
from harness.registry.exhibit import Figure, plots_of
from harness.registry.paper import Paper
from harness.report.figures.build_cache import record, up_to_date
from harness.report.latex.document import document
from harness.report.latex.figure import figure
from harness.report.latex.table import table
from harness.report.latex.typeset import Typeset, typeset
from harness.report.results.report import ExhibitReport
from harness.report.writers import claims_list
from harness.report.writers.csv_json import csv, json_text
from harness.report.writers.text_markdown import markdown
from harness.store.files import sha256_of, write_bytes
from harness.store.results import Results


def _tex(report: ExhibitReport) -> str:
    if isinstance(report.exhibit, Figure):
        return figure(report, f"{report.exhibit.name}.pdf")
    return table(report)


WRITERS: dict[str, tuple[str, Callable[[ExhibitReport], str]]] = {
    "latex": ("tex", _tex),
    "markdown": ("md", markdown),
    "csv": ("csv", csv),
    "json": ("json", json_text),
}


def write(report: ExhibitReport, formats: Sequence[str], results: Results) -> list[Path]:
    """Write an exhibit in some formats under `report/PAPER/` and return the paths."""
    written = []
    for name in formats:
        suffix, writer = WRITERS[name]
        path = results.report / report.paper.name / f"{report.exhibit.name}.{suffix}"
        write_bytes(path, writer(report).encode())
        written.append(path)
    return written


def write_document(paper: Paper, reports: Sequence[ExhibitReport], results: Results) -> Path:
    """Write the LaTeX document of some exhibits, whose own files exist already, and return its path."""
    folder = results.report / paper.name
    pictures = {report.exhibit.name: [path.name for path in _pictures(report, folder)] for report in reports}
    path = folder / "report.tex"
    write_bytes(path, document(paper, reports, {name: found for name, found in pictures.items() if found}).encode())
    return path


def write_pdf(source: Path, reports: Sequence[ExhibitReport]) -> Typeset:
    """Typeset the document of some exhibits, unless the PDF is up to date."""
    folder = source.parent
    inputs = [path for report in reports if (path := folder / f"{report.exhibit.name}.tex").exists()]
    inputs += [path for report in reports for path in _pictures(report, folder)]
    made_from = sha256_of_json([(path.name, sha256_of(path)) for path in (source, *inputs)])
    if found := up_to_date(folder, source.stem, made_from):
        return Typeset(found[0])
    made = typeset(source, inputs)
    if made.pdf:
        record(folder, source.stem, made_from, [made.pdf])
    return made


def write_claims(reports: Sequence[ExhibitReport], results: Results) -> list[Path]:
    """Write the list of claims of each paper and return the paths."""
    written = []
    for name in dict.fromkeys(report.paper.name for report in reports):
        path = results.report / name / "claims.md"
        write_bytes(path, claims_list.markdown([report for report in reports if report.paper.name == name]).encode())
        written.append(path)
    return written


def _pictures(report: ExhibitReport, folder: Path) -> list[Path]:
    """Return the pictures of an exhibit that have been drawn."""
    return [path for name in plots_of(report.exhibit) if (path := folder / f"{name}.pdf").exists()]
