"""The list of a paper's claims: the status of each, with the numbers and seeds that decide it."""

from collections.abc import Iterator, Sequence
from typing import Any

from tabulate import tabulate

from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.report import ExhibitReport
from harness.report.results.statistics import CONFIDENCE
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.writers import exhibit_notes, wording
from harness.report.writers.answer import answers
from harness.report.writers.claim_evidence import claim_evidence
from harness.report.writers.csv_json import claim_to_json
from harness.report.writers.rechecked_text import recheck_notes
from harness.report.writers.text_markdown import escape, evidence_lines, marked, paragraph

ClaimEntry = tuple[ExhibitReport, ClaimResult]
ORDER = (ClaimStatus.FAILS, ClaimStatus.HOLDS, ClaimStatus.UNDECIDED, ClaimStatus.BEYOND)
BY_THE_PAPER = ORDER[:-1]
"""The statuses that the paper's own printed values can give a claim."""


def summary(reports: Sequence[ExhibitReport]) -> str:
    """Return the numbers of claims by status, as measured and by the paper's own printed values."""
    results = [result for _, result in _entries(reports)]
    measured = ", ".join(status.counted(sum(result.status is status for result in results)) for status in ORDER)
    printed = ", ".join(status.counted(sum(result.printed is status for result in results)) for status in BY_THE_PAPER)
    none = sum(result.printed is None for result in results)
    by_the_paper = f"By the paper's own printed values: {printed}, {none} not printed."
    return f"{len(results)} {'claim' if len(results) == 1 else 'claims'}: {measured}. {by_the_paper}"


def verdicts(reports: Sequence[ExhibitReport]) -> str:
    """Return the numbers of cells by verdict, and of tables and figures by verdict."""
    total = VerdictCounts.sum(report.verdict_counts for report in reports)
    words = [report.verdict.word for report in reports if report.verdict_counts.cells]
    order = ("FAIL", "PARTIAL", "MISSING", "INCONCLUSIVE", "PASS", "not compared")
    by_exhibit = ", ".join(f"{words.count(word)} {word}" for word in order if word in words)
    if not words:
        return "No values are reported."
    return f"Reported values ({total.cells}): {total}. Tables and figures ({len(words)}): {by_exhibit}."


def terminal(reports: Sequence[ExhibitReport]) -> str:
    """Return the claims as plain text: those of the abstract, then the others, failing ones first."""
    parts = [*map(paragraph, answers(reports)), "", summary(reports), *_notes(reports)]
    for heading, chosen in groups(reports):
        parts += ["", heading]
        for report, result in chosen:
            status = f"{result.status.value}, " if result.claim.abstract else ""
            parts.append(f"  {status}{report.exhibit.name}, {wording.location(result.claim)}: {result.claim.says}")
            parts += evidence_lines(claim_evidence(result, report))
    return "\n".join(parts) + "\n"


def groups(reports: Sequence[ExhibitReport]) -> Iterator[tuple[str, list[ClaimEntry]]]:
    """Yield the claims in groups with headings: those of the abstract, then the others by status."""
    entries = sorted(_entries(reports), key=place)
    if abstract := of_abstract(reports):
        yield f"Of the abstract ({len(abstract)})", abstract
    for status in ORDER:
        chosen = [entry for entry in entries if entry[1].status is status and not entry[1].claim.abstract]
        if chosen:
            yield f"{status.capitalize()} ({len(chosen)}{' others' if abstract else ''})", chosen


def place(entry: ClaimEntry) -> tuple[bool, int]:
    """Sort key: claims of the abstract first, then failing ones."""
    _, result = entry
    return not result.claim.abstract, ORDER.index(result.status)


def of_abstract(reports: Sequence[ExhibitReport]) -> list[ClaimEntry]:
    """Return the claims of the abstract, failing ones first."""
    return sorted((entry for entry in _entries(reports) if entry[1].claim.abstract), key=place)


def abstract_lines(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the claims of the abstract, one on a line with its status."""
    found = of_abstract(reports)
    width = max((len(result.status) for _, result in found), default=0)
    return [f"  {result.status.value:<{width}} {report.exhibit.name}: {result.claim.says}" for report, result in found]


def markdown(reports: Sequence[ExhibitReport]) -> str:
    """Return the claims as Markdown."""
    lines = [
        [
            result.status.value,
            result.printed.value if result.printed else "-",
            report.exhibit.name,
            wording.location(result.claim),
            escape(result.claim.says),
            escape(str(claim_evidence(result, report))),
        ]
        for report, result in sorted(_entries(reports), key=place)
    ]
    headings = ["measured", "printed", "exhibit", "where", "claim", "evidence"]
    note = "".join(f"{escape(note)}\n\n" for note in _notes(reports))
    table = tabulate(lines, headings, tablefmt="pipe")
    first = "".join(f"{marked(answer)}\n\n" for answer in answers(reports))
    return f"## Claims\n\n{first}{note}{summary(reports)}\n\n{verdicts(reports)}\n\n{table}\n"


def to_json(reports: Sequence[ExhibitReport]) -> list[dict[str, Any]]:
    """Return the claims as documented JSON, each with its exhibit."""
    return [{"exhibit": report.name, **claim_to_json(result, report)} for report, result in _entries(reports)]


def _notes(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the notes on the scales of some reports, each once, on reports of chosen rows, and on denied numbers."""
    of_rows = [f"{report.exhibit.name}: {note}" for report in reports for note in exhibit_notes.rows_left_out(report)]
    denied = [f"{report.exhibit.name}: {note}" for report in reports for note in recheck_notes(report)]
    return [*dict.fromkeys(report.scale.note for report in reports), *of_rows, *denied, *_wrong_decisions(reports)]


def _wrong_decisions(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return how many wrong decisions to expect at most, since each of many has its own chance to be wrong."""
    decided = [
        report
        for report, result in _entries(reports)
        if result.status.decided and any(one.estimated.standard_error for one in result.contrasts)
    ]
    if not decided:
        return []
    errs, number = (1 - CONFIDENCE) / 2, len(decided)
    seeds = {report.most_seeds for report in decided if report.most_seeds}
    often = f", however often one looks, up to {max(seeds)} seeds" if seeds else ""
    if number == 1:
        decides = "If its true value lay exactly on its bound, the decision would be wrong"
        return [f"1 claim is decided by values with noise. {decides} in {100 * errs:.2g} % of cases at most{often}."]
    truths = f"If all {number} true values lay exactly on their bounds"
    most = f"{errs * number:.2g} wrong decisions would be expected at most ({100 * errs:.2g} % each)"
    return [f"{number} claims are decided by values with noise. {truths}, {most}{often}."]


def _entries(reports: Sequence[ExhibitReport]) -> Iterator[ClaimEntry]:
    for report in reports:
        for result in report.claim_results:
            yield report, result
