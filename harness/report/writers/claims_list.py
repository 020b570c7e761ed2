"""The ledger: every claim of a paper with what the measurements say of it, and the numbers and seeds behind that."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

from tabulate import tabulate

from harness.report.results.claims import Decision, Status
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import Tally
from harness.report.writers import wording
from harness.report.writers.csv_json import claim_to_json
from harness.report.writers.text_markdown import INDENT, TERMINAL_WIDTH, escape

ORDER = (Status.FAILS, Status.HOLDS, Status.UNDECIDED)


def summary(reports: Sequence[ExhibitReport]) -> str:
    """Return how many claims hold, fail and stay undecided, measured here and by the paper's own printed values."""
    decisions = [decision for _, decision in _entries(reports)]
    measured = ", ".join(f"{sum(d.status is status for d in decisions)} {status}" for status in ORDER)
    printed = ", ".join(f"{sum(d.printed is status for d in decisions)} {status}" for status in ORDER)
    none = sum(d.printed is None for d in decisions)
    by_the_paper = f"By the paper's own printed values: {printed}, {none} not printed."
    return f"{len(decisions)} claims. Measured: {measured}. {by_the_paper}"


def verdicts(reports: Sequence[ExhibitReport]) -> str:
    """Return how many cells of all exhibits have which verdict, and how many tables and figures came out how."""
    total = Tally.sum(report.tally for report in reports)
    words = [report.tally.verdict for report in reports if report.tally.cells]
    order = ("FAIL", "PARTIAL", "MISSING", "PASS", "not compared")
    by_exhibit = ", ".join(f"{words.count(word)} {word}" for word in order if word in words)
    if not words:
        return "No cell is reported."
    return f"{total.cells} reported cells: {total}. {len(words)} tables and figures with reported cells: {by_exhibit}."


def terminal(reports: Sequence[ExhibitReport]) -> str:
    """Return the ledger as plain text, failing claims first."""
    parts = [summary(reports)]
    for status in ORDER:
        chosen = [(report, decision) for report, decision in _entries(reports) if decision.status is status]
        if chosen:
            parts += ["", f"{status.capitalize()} ({len(chosen)})"]
        for report, decision in chosen:
            parts.append(f"  {report.exhibit.name}, {decision.claim.where}: {decision.claim.says}")
            evidence = wording.claim_evidence(decision, report)
            parts.append(fill(evidence, TERMINAL_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))
    return "\n".join(parts) + "\n"


def markdown(reports: Sequence[ExhibitReport]) -> str:
    """Return the ledger as Markdown."""
    lines = [
        [
            decision.status.value,
            decision.printed.value if decision.printed else "-",
            report.exhibit.name,
            decision.claim.where,
            escape(decision.claim.says),
            escape(wording.claim_evidence(decision, report)),
        ]
        for report, decision in sorted(_entries(reports), key=lambda entry: ORDER.index(entry[1].status))
    ]
    headings = ["measured", "printed", "exhibit", "where", "the paper says", "evidence"]
    return f"## Claims\n\n{summary(reports)}\n\n{verdicts(reports)}\n\n{tabulate(lines, headings, tablefmt='pipe')}\n"


def to_json(reports: Sequence[ExhibitReport]) -> list[dict[str, Any]]:
    """Return the claims in the documented shape, each with the exhibit that it is on."""
    return [{"exhibit": report.name, **claim_to_json(decision)} for report, decision in _entries(reports)]


def _entries(reports: Sequence[ExhibitReport]) -> Iterator[tuple[ExhibitReport, Decision]]:
    for report in reports:
        for decision in report.decisions:
            yield report, decision
