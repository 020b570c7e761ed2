"""The list of claims on the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.html.symbols import MARKS, Mark
from harness.report.results.claims import ContrastResult
from harness.report.results.report import ExhibitReport
from harness.report.writers import wording
from harness.report.writers.claims_list import ORDER

MOST_DRAWN = 6
ROOM = 1.25
"""The drawn range is this much wider than the interval and the claim's finite bounds."""


@dataclass(frozen=True)
class Interval:
    """A contrast, in percent of its drawing's width: the interval, the estimate and the claimed bounds."""

    low: float
    high: float
    estimate: float
    claimed_low: float
    claimed_high: float


@dataclass(frozen=True)
class ClaimView:
    """A claim with its marks (measured, and by the printed values), its evidence as text, and its intervals."""

    exhibit: str
    exhibit_name: str
    where: str
    says: str
    mark: Mark
    printed: Mark | None
    evidence: tuple[str, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class ClaimsView:
    """The claims, failing ones first, with counts by status: measured, and by the printed values."""

    claims: tuple[ClaimView, ...]
    counts: tuple[tuple[Mark, int], ...]
    printed: tuple[tuple[Mark, int], ...]
    not_printed: int

    @property
    def drawn(self) -> bool:
        """Whether any claim has intervals."""
        return any(claim.intervals for claim in self.claims)


def claims_view(reports: Sequence[ExhibitReport]) -> ClaimsView:
    """Return the claims of some exhibits for the page."""
    entries = [(report, result) for report in reports for result in report.claim_results]
    entries.sort(key=lambda entry: ORDER.index(entry[1].status))
    statuses, printed = [result.status for _, result in entries], [result.printed for _, result in entries]
    return ClaimsView(
        claims=tuple(
            ClaimView(
                exhibit=report.exhibit.name,
                exhibit_name=f"{report.exhibit.kind.capitalize()} {report.exhibit.number}",
                where=result.claim.where,
                says=result.claim.says,
                mark=MARKS[result.status],
                printed=MARKS[result.printed] if result.printed else None,
                evidence=tuple(wording.claim_evidence(result, report).split(". ")),
                intervals=tuple(map(_interval, result.contrasts[:MOST_DRAWN])),
            )
            for report, result in entries
        ),
        counts=tuple((MARKS[status], statuses.count(status)) for status in ORDER),
        printed=tuple((MARKS[status], printed.count(status)) for status in ORDER),
        not_printed=printed.count(None),
    )


def _interval(result: ContrastResult) -> Interval:
    """Scale an interval so that the claim's finite bounds are in view."""
    low, high = result.estimate - result.half_width, result.estimate + result.half_width
    bounds = [bound for bound in (result.contrast.low, result.contrast.high) if abs(bound) != float("inf")]
    begin, end = min(low, *bounds), max(high, *bounds)
    centre, reach = (begin + end) / 2, max((end - begin) / 2 * ROOM, 1e-12)

    def place(value: float) -> float:
        return round(min(max(50 + 50 * (value - centre) / reach, 0.0), 100.0), 2)

    return Interval(
        place(low),
        place(high),
        place(result.estimate),
        place(result.contrast.low),
        place(result.contrast.high),
    )
