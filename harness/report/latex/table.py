"""LaTeX tables: booktabs, numbers aligned by siunitx, notes below, split where a page is too short."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.report.latex.answer import comment
from harness.report.latex.cells import marked
from harness.report.latex.escape import tex
from harness.report.latex.installation import TABLE
from harness.report.latex.notes import Notes, general
from harness.report.latex.siunitx import settings
from harness.report.latex.tabular import LONG_NAME, tabular
from harness.report.results.report import ExhibitReport
from harness.report.writers import wording
from harness.report.writers.table_layout import TableGrid, TableRow, TableSection, grids

LINES, PAGE = 46, 58
"""A table of more than LINES lines continues in another float; so do notes if table and notes exceed PAGE lines."""
LINE_OF_NOTES = 140
"""Approximate number of characters of a note that fit on a line."""
DIMENSIONS = "\\footnotesize\\setlength{\\tabcolsep}{4pt}%"


def table(report: ExhibitReport) -> str:
    """Return a `table` environment, or several for a long table; cells not measured yet are dots."""
    notes = Notes()
    parts = [part for grid in grids(report) for part in _parts(marked(grid, notes))]
    remarks = [" ".join(general(report))]
    remarks += [" \\quad ".join(notes.lines())] if notes.lines() else []
    floats: list[list[TableGrid] | None] = list(_floats(parts))
    if sum(map(_height, floats[-1] or [])) + sum(1 + len(remark) // LINE_OF_NOTES for remark in remarks) > PAGE:
        floats.append(None)
    lines = [f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{{','.join(TABLE)}}}", comment(report)]
    for position, members in enumerate(floats):
        lines += ["\\begin{table}[!htbp]", "\\centering"]
        lines += ["Table~\\thetable{} (continued)\\par\\medskip"] if position else _caption(report)
        lines += [DIMENSIONS, *settings(), *(line for part in members or [] for line in tabular(part))]
        lines += _remarks(remarks) if position == len(floats) - 1 else []
        lines.append("\\end{table}")
    return "\n".join([*lines, ""])


def _caption(report: ExhibitReport) -> list[str]:
    return [
        f"\\caption{{{tex(wording.caption(report))}. {tex(report.scale.note)}}}",
        f"\\label{{tab:{report.paper.name}-{report.exhibit.name}}}",
    ]


def _remarks(remarks: Sequence[str]) -> list[str]:
    joined = [f"{remark}\\par" for remark in remarks]
    return ["\\par\\smallskip\\begin{minipage}{\\linewidth}\\raggedright\\scriptsize", *joined, "\\end{minipage}"]


def _parts(grid: TableGrid) -> Iterator[TableGrid]:
    """Split a grid between rows into parts that fit on a page."""
    sections: list[TableSection] = []
    height = 0
    for section in grid.sections:
        rows: list[TableRow] = []
        heading = section.heading
        height += 2 if heading else 0
        for row in section.rows:
            if height + _lines(row) > LINES and (rows or sections):
                begun = [TableSection(heading, tuple(rows))] if rows else []
                yield replace(grid, sections=(*sections, *begun))
                heading = f"{section.heading} (continued)" if rows and section.heading else section.heading
                sections, rows, height = [], [], 2 if section.heading else 0
            rows.append(row)
            height += _lines(row)
        sections.append(TableSection(heading, tuple(rows)))
    yield replace(grid, sections=tuple(sections))


def _floats(parts: Sequence[TableGrid]) -> Iterator[list[TableGrid]]:
    """Yield groups of parts that fit on a page together."""
    members: list[TableGrid] = []
    for part in parts:
        if members and sum(map(_height, members)) + _height(part) > LINES:
            yield members
            members = []
        members.append(part)
    yield members


def _height(grid: TableGrid) -> int:
    rows = sum(_lines(row) for section in grid.sections for row in section.rows)
    return rows + sum(2 for section in grid.sections if section.heading) + 4


def _lines(row: TableRow) -> int:
    return max(len(row.lines), *(1 + len(cell.text) // LONG_NAME for cell in row.lines[0]))
