"""Writes reports into the results directory."""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.report import ledger
from harness.report.build import ExhibitReport
from harness.report.data import csv, json_text
from harness.report.latex import document, figure, latex
from harness.report.plain import markdown
from harness.spec.exhibit import Figure
from harness.spec.paper import Paper
from harness.store.files import write_bytes
from harness.store.run_directory import Results


def _tex(report: ExhibitReport) -> str:
    if isinstance(report.exhibit, Figure):
        return figure(report, f"{report.exhibit.name}.pdf")
    return latex(report)


WRITERS: dict[str, tuple[str, Callable[[ExhibitReport], str]]] = {
    "latex": ("tex", _tex),
    "markdown": ("md", markdown),
    "csv": ("csv", csv),
    "json": ("json", json_text),
}


def write(report: ExhibitReport, formats: Sequence[str], results: Results) -> list[Path]:
    """Write the files of some formats under `report/PAPER/` and return their paths."""
    written = []
    for name in formats:
        ending, writer = WRITERS[name]
        path = results.report / report.paper.name / f"{report.exhibit.name}.{ending}"
        write_bytes(path, writer(report).encode())
        written.append(path)
    return written


def write_document(paper: Paper, results: Results) -> Path:
    """Write a document that inputs the paper's exhibits as far as they are written, for `pdflatex report`."""
    folder = results.report / paper.name
    names = [e.name for e in paper.exhibits if (folder / f"{e.name}.tex").exists() and _is_whole(e, folder)]
    path = folder / "report.tex"
    write_bytes(path, document(*(f"\\input{{{name}}}" for name in names)).encode())
    return path


def write_claims(reports: Sequence[ExhibitReport], results: Results) -> list[Path]:
    """Write the ledger of each paper and return the paths."""
    written = []
    for name in dict.fromkeys(report.paper.name for report in reports):
        path = results.report / name / "claims.md"
        write_bytes(path, ledger.markdown([report for report in reports if report.paper.name == name]).encode())
        written.append(path)
    return written


def _is_whole(exhibit: object, folder: Path) -> bool:
    """Tell whether a figure's picture is there; a table needs none."""
    return not isinstance(exhibit, Figure) or (folder / f"{exhibit.name}.pdf").exists()
