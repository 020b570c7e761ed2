"""The list of claims on the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.html.interval_plot import IntervalPlot, interval_plot
from harness.report.html.symbols import MARKS, Mark
from harness.report.results.claims import ClaimResult
from harness.report.results.report import ExhibitReport
from harness.report.writers.claim_evidence import claim_evidence
from harness.report.writers.claims_list import BY_THE_PAPER, ORDER, place
from harness.report.writers.wording import levels, location

MOST_DRAWN = 6


@dataclass(frozen=True)
class ContrastView:
    """A contrast as text, and its plot; None if the claim has too many contrasts to draw all."""

    text: str
    plot: IntervalPlot | None


@dataclass(frozen=True)
class ClaimView:
    """A claim with its marks (measured, and by the printed values) and its evidence."""

    exhibit: str
    exhibit_name: str
    where: str
    says: str
    mark: Mark
    printed: Mark | None
    values: str
    contrasts: tuple[ContrastView, ...]
    remarks: str


@dataclass(frozen=True)
class ClaimsView:
    """The claims, first those of the abstract, then failing ones, with counts: measured, and by the printed values.

    `levels` are those of the intervals that decide them.
    """

    claims: tuple[ClaimView, ...]
    counts: tuple[tuple[Mark, int], ...]
    printed: tuple[tuple[Mark, int], ...]
    not_printed: int
    levels: str

    @property
    def drawn(self) -> bool:
        """Whether any claim has contrasts."""
        return any(claim.contrasts for claim in self.claims)


def claims_view(reports: Sequence[ExhibitReport]) -> ClaimsView:
    """Return the claims of some exhibits for the page."""
    entries = [(report, result) for report in reports for result in report.claim_results]
    entries.sort(key=place)
    statuses, printed = [result.status for _, result in entries], [result.printed for _, result in entries]
    return ClaimsView(
        claims=tuple(_claim(report, result) for report, result in entries),
        counts=tuple((MARKS[status], statuses.count(status)) for status in ORDER),
        printed=tuple((MARKS[status], printed.count(status)) for status in BY_THE_PAPER),
        not_printed=printed.count(None),
        levels=levels(reports),
    )


def _claim(report: ExhibitReport, result: ClaimResult) -> ClaimView:
    evidence = claim_evidence(result, report)
    plots = [interval_plot(contrast) if place < MOST_DRAWN else None for place, contrast in enumerate(result.contrasts)]
    return ClaimView(
        exhibit=report.exhibit.name,
        exhibit_name=f"{report.exhibit.kind.capitalize()} {report.exhibit.number}",
        where=location(result.claim),
        says=result.claim.says,
        mark=MARKS[result.status],
        printed=MARKS[result.printed] if result.printed else None,
        values=". ".join(evidence.values),
        contrasts=tuple(map(ContrastView, evidence.contrasts, plots)),
        remarks=". ".join(evidence.remarks),
    )
