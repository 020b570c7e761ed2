"""LaTeX tables: booktabs, numbers aligned by siunitx, notes below, split where a page is too short."""

from collections.abc import Iterator, Sequence

from harness.report.latex.escape import tex
from harness.report.latex.installation import TABLE
from harness.report.latex.layout import LONG_NAME, Block, Entry, Layout, Section, layouts
from harness.report.latex.notes import Notes, general
from harness.report.latex.numbers import mean_and_spread
from harness.report.latex.tabular import tabular
from harness.report.results.cells import Measured
from harness.report.results.report import ExhibitReport
from harness.report.writers import wording

LINES, PAGE = 46, 58
"""A table of more LINES continues in another float; so do notes that, with the lines above, exceed PAGE."""
LINE_OF_NOTES = 140
"""Approximate number of characters of a note that fit on a line."""
DIMENSIONS = "\\footnotesize\\setlength{\\tabcolsep}{4pt}\\sisetup{detect-weight=true,group-digits=false}%"


def table(report: ExhibitReport) -> str:
    """Return a `table` environment, or several for a long table; cells not measured yet are dots."""
    notes = Notes()
    parts = [part for layout in layouts(report, notes) for part in _parts(layout)]
    entries = [entry for part in parts for section in part.sections for entry in _entries(section)]
    remarks = [" ".join(general(report, any(entry.bold for entry in entries), _has_spread(report)))]
    remarks += [" \\quad ".join(notes.lines())] if notes.lines() else []
    floats: list[list[Layout] | None] = list(_floats(parts))
    if sum(map(_height, floats[-1] or [])) + sum(1 + len(remark) // LINE_OF_NOTES for remark in remarks) > PAGE:
        floats.append(None)
    lines = [f"% {report.name}, scale {report.scale.name}; needs \\usepackage{{{','.join(TABLE)}}}"]
    for position, members in enumerate(floats):
        lines += ["\\begin{table}[!htbp]", "\\centering"]
        lines += ["Table~\\thetable{} (continued)\\par\\medskip"] if position else _caption(report)
        lines += [DIMENSIONS, *(line for part in members or [] for line in tabular(part))]
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


def _parts(layout: Layout) -> Iterator[Layout]:
    """Split a layout between rows into parts that fit on a page."""
    sections: list[Section] = []
    height = 0
    for section in layout.sections:
        blocks: list[Block] = []
        heading = section.heading
        height += 2 if heading else 0
        for block in section.blocks:
            if height + _lines(block) > LINES and (blocks or sections):
                yield Layout(
                    layout.caption, layout.columns, (*sections, *([Section(heading, tuple(blocks))] if blocks else []))
                )
                heading = f"{section.heading} (continued)" if blocks and section.heading else section.heading
                sections, blocks, height = [], [], 2 if section.heading else 0
            blocks.append(block)
            height += _lines(block)
        sections.append(Section(heading, tuple(blocks)))
    yield Layout(layout.caption, layout.columns, tuple(sections))


def _floats(parts: Sequence[Layout]) -> Iterator[list[Layout]]:
    """Yield groups of parts that fit on a page together."""
    members: list[Layout] = []
    for part in parts:
        if members and sum(map(_height, members)) + _height(part) > LINES:
            yield members
            members = []
        members.append(part)
    yield members


def _height(layout: Layout) -> int:
    rows = sum(_lines(block) for section in layout.sections for block in section.blocks)
    return rows + sum(2 for section in layout.sections if section.heading) + 4


def _lines(block: Block) -> int:
    return (
        max(len(block.lines), *(1 + len(entry.text) // LONG_NAME for entry in block.lines[0]), 1) if block.lines else 0
    )


def _entries(section: Section) -> Iterator[Entry]:
    for block in section.blocks:
        for line in block.lines:
            yield from line


def _has_spread(report: ExhibitReport) -> bool:
    """Return whether any measured mean is printed with its standard deviation."""
    metrics = (*report.exhibit.metrics, *report.shown)
    cells = (cell for row in report.rows for cell in (*row.cells, *row.secondary) if cell.metric in metrics)
    values = ((cell.metric, value) for cell in cells for value in (cell.measured, *cell.readings.values()))
    return any(isinstance(value, Measured) and mean_and_spread(value, metric)[1] for metric, value in values)
