"""The terminal and Markdown writers."""

from textwrap import fill

from tabulate import tabulate

from harness.registry.exhibit import Figure
from harness.report.results.report import ExhibitReport
from harness.report.writers import answer, between_rows, exhibit_notes, wording
from harness.report.writers.claim_evidence import ClaimEvidence, claim_evidence
from harness.report.writers.table_cells import TableCell
from harness.report.writers.table_layout import TableGrid, grids
from harness.report.writers.verdict_table import HEADINGS, NOT_PLAIN_PASS, verdict_rows

TERMINAL_WIDTH = 118
INDENT = " " * 12
JOINT = "\u00a0"
"""A space at which no line ends."""


def terminal(report: ExhibitReport) -> str:
    """Return the exhibit and its claims as plain text."""
    parts = [paragraph(answer.exhibit_answer(report)), "", wording.title(report), report.scale.note, ""]
    for grid in grids(report):
        parts += [*([grid.caption] if grid.caption else []), _table(grid, "simple"), ""]
    parts += [fill(note, TERMINAL_WIDTH) for note in exhibit_notes.notes(report)]
    if lines := list(verdict_rows(report, NOT_PLAIN_PASS)):
        table = tabulate([line.texts for line in lines], HEADINGS, tablefmt="simple", disable_numparse=True)
        parts += ["", "Cells without a plain PASS", table]
    if report.claim_results:
        parts += ["", "Claims of the paper"]
    for result in report.claim_results:
        parts.append(f"  {result.status.value:<9} {wording.location(result.claim)} {result.claim.says}")
        parts += evidence_lines(claim_evidence(result, report))
    return "\n".join(parts) + "\n"


def evidence_lines(evidence: ClaimEvidence) -> list[str]:
    """Return the evidence for a claim as indented lines."""
    return [
        fill(line, TERMINAL_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT + "  ", break_on_hyphens=False)
        for line in evidence.lines
    ]


def paragraph(text: str) -> str:
    """Return a text in lines for the terminal; commands are not broken."""
    whole = answer.formatted(text, str, lambda command: f"`{command.replace(' ', JOINT)}`")
    return fill(whole, TERMINAL_WIDTH, break_on_hyphens=False, break_long_words=False).replace(JOINT, " ")


def markdown(report: ExhibitReport) -> str:
    """Return the exhibit and its claims as Markdown."""
    parts = [f"## {escape(wording.title(report))}", "", marked(answer.exhibit_answer(report)), ""]
    parts += [escape(report.scale.note), ""]
    if isinstance(report.exhibit, Figure) and report.measured:
        parts += [f"![{escape(wording.subject(report))}]({report.exhibit.name}.png)", ""]
    for grid in grids(report):
        parts += [*([f"**{escape(grid.caption)}**", ""] if grid.caption else []), _table(grid, "pipe"), ""]
    parts += [f"{escape(note)}  " for note in (*exhibit_notes.notes(report), between_rows.bold(report)) if note]
    if shown := list(verdict_rows(report)):
        cells = [[escape(text) for text in (*line.texts, line.reason)] for line in shown]
        parts += ["", "### Cells", "", tabulate(cells, [*HEADINGS, "why"], tablefmt="pipe", disable_numparse=True)]
    if report.claim_results:
        parts += ["", "### Claims of the paper", ""]
        claims = [
            [
                result.status.value,
                wording.location(result.claim),
                result.claim.says,
                str(claim_evidence(result, report)),
            ]
            for result in report.claim_results
        ]
        lines = [[escape(cell) for cell in line] for line in claims]
        parts.append(tabulate(lines, ["status", "where", "claim", "evidence"], tablefmt="pipe"))
    return "\n".join(parts) + "\n"


def _table(grid: TableGrid, style: str) -> str:
    written = _in_markdown if style == "pipe" else str
    lines = []
    for section in grid.sections:
        lines += [[written(section.heading), *[""] * (len(grid.columns) - 1)]] if section.heading else []
        lines += [[written(cell) for cell in line] for row in section.rows for line in row.lines]
    headings = [written(column.heading) for column in grid.columns]
    align = ["left" if column.holds_words else "right" for column in grid.columns]
    return tabulate(lines, headings, tablefmt=style, colalign=align, disable_numparse=True)


def marked(text: str) -> str:
    """Return an answer as Markdown, with its commands as code."""
    return answer.formatted(text, escape, lambda command: f"`{command}`")


def _in_markdown(cell: TableCell | str) -> str:
    text = escape(str(cell))
    return f"**{text}**" if isinstance(cell, TableCell) and cell.best else text


def escape(value: str) -> str:
    """Escape a text so that it neither breaks a table nor is read as markup."""
    marks = {"|": "\\|", "<": "&lt;", "*": "\\*", "_": "\\_", "`": "\\`", "#": "\\#"}
    return "".join(marks.get(character, character) for character in value)
