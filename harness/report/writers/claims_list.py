"""The ledger: every claim of a paper with what the measurements say of it, and the numbers and seeds behind that."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

from tabulate import tabulate

from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.writers import wording
from harness.report.writers.csv_json import claim_to_json
from harness.report.writers.text_markdown import INDENT, TERMINAL_WIDTH, escape

ORDER = (ClaimStatus.FAILS, ClaimStatus.HOLDS, ClaimStatus.UNDECIDED)


def summary(reports: Sequence[ExhibitReport]) -> str:
    """Return how many claims hold, fail and stay undecided, measured here and by the paper's own printed values."""
    claim_results = [result for _, result in _entries(reports)]
    measured = ", ".join(f"{sum(d.status is status for d in claim_results)} {status}" for status in ORDER)
    printed = ", ".join(f"{sum(d.printed is status for d in claim_results)} {status}" for status in ORDER)
    none = sum(d.printed is None for d in claim_results)
    by_the_paper = f"By the paper's own printed values: {printed}, {none} not printed."
    return f"{len(claim_results)} claims. Measured: {measured}. {by_the_paper}"


def verdicts(reports: Sequence[ExhibitReport]) -> str:
    """Return how many cells of all exhibits have which verdict, and how many tables and figures came out how."""
    total = VerdictCounts.sum(report.verdict_counts for report in reports)
    words = [report.verdict_counts.verdict for report in reports if report.verdict_counts.cells]
    order = ("FAIL", "PARTIAL", "MISSING", "PASS", "not compared")
    by_exhibit = ", ".join(f"{words.count(word)} {word}" for word in order if word in words)
    if not words:
        return "No cell is reported."
    return f"{total.cells} reported cells: {total}. {len(words)} tables and figures with reported cells: {by_exhibit}."


def terminal(reports: Sequence[ExhibitReport]) -> str:
    """Return the ledger as plain text, failing claims first."""
    parts = [summary(reports)]
    for status in ORDER:
        chosen = [(report, result) for report, result in _entries(reports) if result.status is status]
        if chosen:
            parts += ["", f"{status.capitalize()} ({len(chosen)})"]
        for report, result in chosen:
            parts.append(f"  {report.exhibit.name}, {result.claim.where}: {result.claim.says}")
            evidence = wording.claim_evidence(result, report)
            parts.append(fill(evidence, TERMINAL_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))
    return "\n".join(parts) + "\n"


def markdown(reports: Sequence[ExhibitReport]) -> str:
    """Return the ledger as Markdown."""
    lines = [
        [
            result.status.value,
            result.printed.value if result.printed else "-",
            report.exhibit.name,
            result.claim.where,
            escape(result.claim.says),
            escape(wording.claim_evidence(result, report)),
        ]
        for report, result in sorted(_entries(reports), key=lambda entry: ORDER.index(entry[1].status))
    ]
    headings = ["measured", "printed", "exhibit", "where", "the paper says", "evidence"]
    return f"## Claims\n\n{summary(reports)}\n\n{verdicts(reports)}\n\n{tabulate(lines, headings, tablefmt='pipe')}\n"


def to_json(reports: Sequence[ExhibitReport]) -> list[dict[str, Any]]:
    """Return the claims in the documented shape, each with the exhibit that it is on."""
    return [{"exhibit": report.name, **claim_to_json(result)} for report, result in _entries(reports)]


def _entries(reports: Sequence[ExhibitReport]) -> Iterator[tuple[ExhibitReport, ClaimResult]]:
    for report in reports:
        for result in report.claim_results:
            yield report, result
