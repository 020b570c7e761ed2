"""Writes a table's report into the results directory."""

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.report.build import TableReport
from harness.report.data import csv, json_text
from harness.report.latex import document, latex
from harness.report.plain import markdown
from harness.spec.paper import Paper
from harness.store.files import write_bytes
from harness.store.run_directory import Results

WRITERS: dict[str, tuple[str, Callable[[TableReport], str]]] = {
    "latex": ("tex", latex),
    "markdown": ("md", markdown),
    "csv": ("csv", csv),
    "json": ("json", json_text),
}


def write(report: TableReport, formats: Sequence[str], results: Results) -> list[Path]:
    """Write the files of some formats under `report/PAPER/` and return their paths."""
    written = []
    for name in formats:
        ending, writer = WRITERS[name]
        path = results.report / report.paper.name / f"{report.table.name}.{ending}"
        write_bytes(path, writer(report).encode())
        written.append(path)
    if "latex" in formats:
        written.append(_write_document(report.paper, results.report / report.paper.name))
    return written


def _write_document(paper: Paper, folder: Path) -> Path:
    """Write a document that inputs the paper's tables as far as they are written, for `pdflatex report`."""
    names = [table.name for table in paper.tables if (folder / f"{table.name}.tex").exists()]
    path = folder / "report.tex"
    write_bytes(path, document(*(f"\\input{{{name}}}" for name in names)).encode())
    return path
