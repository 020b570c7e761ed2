"""The prospects of undecided claims: whether more seeds decide them, and how many it may take."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.report import ExhibitReport

NEXT_RUNS = 2


@dataclass(frozen=True)
class ClaimOutlook:
    """The prospect of deciding an undecided claim with more seeds.

    `rows` get the next seed, none if seeds do not help; `hopeless` then says why. `seeds` is the range of the number of
    seeds for even odds, None if the most seeds do not suffice.
    """

    result: ClaimResult
    rows: tuple[str, ...]
    seeds: tuple[int, int] | None
    hopeless: str


def outlooks(report: ExhibitReport, most_seeds: int = 10) -> list[ClaimOutlook]:
    """Return the prospects of the undecided claims of an exhibit."""
    found = []
    for result in report.claim_results:
        if result.status is not ClaimStatus.UNDECIDED:
            continue
        cited = result.reason.startswith("cited values")
        rows = () if cited else tuple(dict.fromkeys(value.row for value in result.values if value.seeds))
        found.append(ClaimOutlook(result, rows, (2, most_seeds) if rows else None, "" if rows else result.reason))
    return found


def expected_runs(found: Iterable[ClaimOutlook]) -> dict[str, int]:
    """Return the further runs that are expected, by row."""
    return dict.fromkeys(Counter(row for outlook in found for row in outlook.rows), NEXT_RUNS)
