"""Cells for LaTeX: marks for the notes below the table."""

from collections.abc import Iterator
from dataclasses import replace

from harness.report.latex.notes import CITED, FAILED, OPEN, UNCERTAIN, UNEXPECTED, UNFINISHED, Notes
from harness.report.results.verdicts import Verdict
from harness.report.writers.table_cells import BLANK, CellKind, TableCell
from harness.report.writers.table_layout import TableGrid, TableLine, TableRow, TableSection

DASHES = {CellKind.DASH: "–", CellKind.GAP: "…"}
SOURCES = {"cited": CITED, "uncertain": UNCERTAIN}
"""Marked sources: at the row's name, or at its cells if they differ."""
VERDICTS = {
    Verdict.FAIL: FAILED,
    Verdict.XPASS: UNEXPECTED,
    Verdict.INCONCLUSIVE: OPEN,
    Verdict.PARTIAL: UNFINISHED,
}
"""Verdicts marked at the cell."""


def marked(grid: TableGrid, notes: Notes) -> TableGrid:
    """Return a grid with marks in place of the remarks, which are added to the notes.

    In stacked grids standard deviations have their own line.
    """
    sections = []
    for section in grid.sections:
        rows = (TableRow(row.of, tuple(_lines(row, grid.is_stacked, notes))) for row in section.rows)
        sections.append(TableSection(section.heading, tuple(rows)))
    return replace(grid, sections=tuple(sections))


def _lines(row: TableRow, stacked: bool, notes: Notes) -> Iterator[TableLine]:
    for line in row.lines:
        cells = tuple(_marked(cell, notes) for cell in line)
        if stacked and any(cell.sd for cell in cells):
            yield tuple(replace(cell, sd="") for cell in cells)
            yield (BLANK, TableCell(text="±"), *(TableCell(text=cell.sd) for cell in cells[2:]))
        else:
            yield cells


def _marked(cell: TableCell, notes: Notes) -> TableCell:
    symbols = [SOURCES.get(cell.source), VERDICTS.get(cell.judgement.verdict) if cell.judgement else None]
    marks = [notes.symbol(symbol) for symbol in symbols if symbol] + [notes.letter(remark) for remark in cell.remarks]
    return replace(cell, text=DASHES.get(cell.kind, cell.text), remarks=tuple(marks))
