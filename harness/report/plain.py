"""The terminal's and the Markdown writer."""

from textwrap import fill

from tabulate import tabulate

from harness.report import text
from harness.report.build import TableReport

TERMINAL_WIDTH = 118
INDENT = " " * 12


def terminal(report: TableReport) -> str:
    """Return the table and its claims as plain text."""
    parts = [text.title(report), report.scale.note, "", _grid(report, "simple"), ""]
    parts += [fill(note, TERMINAL_WIDTH) for note in text.notes(report)]
    if report.decisions:
        parts += ["", "Claims of the paper"]
    for decision in report.decisions:
        parts.append(f"  {decision.status.value:<9} {decision.claim.where} {decision.claim.says}")
        evidence = text.claim_evidence(decision, report.labels)
        parts.append(fill(evidence, TERMINAL_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))
    return "\n".join(parts) + "\n"


def markdown(report: TableReport) -> str:
    """Return the table and its claims as Markdown."""
    parts = [f"## {_escape(text.title(report))}", "", _escape(report.scale.note), "", _grid(report, "pipe"), ""]
    parts += [f"{_escape(note)}  " for note in text.notes(report)]
    if report.decisions:
        parts += ["", "### Claims of the paper", ""]
        claims = [
            [
                decision.status.value,
                decision.claim.where,
                decision.claim.says,
                text.claim_evidence(decision, report.labels),
            ]
            for decision in report.decisions
        ]
        parts.append(tabulate(_escaped(claims), ["status", "where", "the paper says", "measured"], tablefmt="pipe"))
    return "\n".join(parts) + "\n"


def _grid(report: TableReport, style: str) -> str:
    lines = text.lines(report)
    if style == "pipe":
        lines = _escaped(lines)
    numbers = 2 * len(report.table.metrics) + 1
    align = ("left", *["right"] * numbers, *["left"] * report.scale.comparable)
    return tabulate(lines, text.headings(report), tablefmt=style, colalign=align, disable_numparse=True)


def _escaped(lines: list[list[str]]) -> list[list[str]]:
    return [[_escape(cell) for cell in line] for line in lines]


def _escape(value: str) -> str:
    """Keep a text from breaking a table or from being read as markup."""
    marks = {"|": "\\|", "<": "&lt;", "*": "\\*", "_": "\\_", "`": "\\`", "#": "\\#"}
    return "".join(marks.get(character, character) for character in value)
