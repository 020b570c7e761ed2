"""The answer of some exhibits: how many claims hold, and what decides the others."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.registry.cells import PAPER_PROTOCOL
from harness.report.results.cells import ReportRow
from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.outlook import MOST_SEEDS, ClaimOutlook, expected_runs, outlooks
from harness.report.results.remaining_time import RemainingTime
from harness.report.results.report import ExhibitReport
from harness.report.results.report_cache import cached_by_report
from harness.report.results.verdict_counts import VerdictCounts
from harness.store.records import Segment

JUDGED = (ClaimStatus.HOLDS, ClaimStatus.FAILS, ClaimStatus.UNDECIDED)


class Waiting(StrEnum):
    """What decides an undecided claim."""

    SEEDS = "more seeds"
    RUNS = "first runs"
    SCALE = "the paper's scale"
    NOTHING = "nothing here"


@dataclass(frozen=True)
class ClaimCounts:
    """Numbers of claims: by status, and of the undecided ones by what they wait for."""

    by_status: Mapping[ClaimStatus, int]
    waiting: Mapping[Waiting, int]

    @property
    def judged(self) -> int:
        """The number of claims that hold, fail or are undecided; other statuses are counted apart."""
        return sum(self.by_status.get(status, 0) for status in JUDGED)

    @property
    def total(self) -> int:
        """The number of claims."""
        return sum(self.by_status.values())

    @property
    def apart(self) -> dict[ClaimStatus, int]:
        """The numbers of claims with other statuses."""
        return {status: count for status, count in self.by_status.items() if status not in JUDGED}

    def to_json(self) -> dict[str, Any]:
        """Return the counts as documented JSON (docs/results.md)."""
        return {
            "by_status": {status.value: self.by_status.get(status, 0) for status in ClaimStatus},
            "need_seeds": self.waiting.get(Waiting.SEEDS, 0),
            "need_runs": self.waiting.get(Waiting.RUNS, 0),
            "need_paper_scale": self.waiting.get(Waiting.SCALE, 0),
            "seeds_do_not_help": self.waiting.get(Waiting.NOTHING, 0),
        }


@dataclass(frozen=True)
class Answer:
    """The claims and cells of some exhibits in numbers, and the time that deciding takes.

    `abstract` counts the claims of the paper's abstract, `cells` the reported values by verdict; `measured` of `wanted`
    values are measured, of which `configured` need no run. `most_seeds` is that by which claims are decided,
    `decide_seconds` is the expected time of the runs that
    decide claims, `run_seconds` that of the first run of every row, as far as it is not done; None if unknown, or if
    nothing is left. `is_of_others` is whether the results are not the user's own.
    """

    claims: ClaimCounts
    abstract: ClaimCounts
    cells: VerdictCounts
    measured: int
    wanted: int
    configured: int
    most_seeds: int
    decide_seconds: float | None
    run_seconds: float | None
    is_of_others: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing is measured that runs would measure."""
        return self.measured <= self.configured < self.wanted


def answer_of(reports: Sequence[ExhibitReport]) -> Answer:
    """Return the answer of some exhibits of one paper."""
    with_outlooks = [(report, _outlooks(report)) for report in reports]
    entries = [entry for report, found in with_outlooks for entry in _waiting(report, found)]
    return Answer(
        claims=_counted(entries),
        abstract=_counted([(result, waits) for result, waits in entries if result.claim.abstract]),
        cells=VerdictCounts.sum(report.verdict_counts for report in reports),
        measured=sum(report.measured for report in reports),
        wanted=sum(report.wanted for report in reports),
        configured=sum(row.row.setting is not None for report in reports for row in report.rows),
        most_seeds=max((one.most_seeds for _, found in with_outlooks for one in found if one.rows), default=MOST_SEEDS),
        decide_seconds=_decide_seconds(with_outlooks),
        run_seconds=_run_seconds(reports),
        is_of_others=bool(reports[0].origin),
    )


@cached_by_report
def _outlooks(report: ExhibitReport) -> list[ClaimOutlook]:
    """Return the outlooks of measured claims: by the plan that is recorded, unless it leaves nothing to do."""
    planned = outlooks(report, report.most_seeds) if report.most_seeds else []
    found = planned if any(one.rows for one in planned) else outlooks(report)
    return [one for one in found if not one.result.missing]


def _waiting(report: ExhibitReport, found: Sequence[ClaimOutlook]) -> Iterator[tuple[ClaimResult, Waiting | None]]:
    """Yield the claims of an exhibit with what they wait for, None if they are not undecided."""
    helped = [outlook.result.claim for outlook in found if outlook.rows]
    for result in report.claim_results:
        if result.status is not ClaimStatus.UNDECIDED:
            yield result, None
        elif _compares_with_cited(report, result):
            yield result, Waiting.SCALE
        elif _lacks_runs(report, result):
            yield result, Waiting.RUNS
        else:
            yield result, Waiting.SEEDS if result.claim in helped else Waiting.NOTHING


def _compares_with_cited(report: ExhibitReport, result: ClaimResult) -> bool:
    """Return whether a claim compares measured with cited values, which are comparable at the paper's scale only."""
    measured = {report.exhibit.row(term.row).run is not None for term in result.claim.terms()}
    return len(measured) == 2 and not report.scale.comparable


def _lacks_runs(report: ExhibitReport, result: ClaimResult) -> bool:
    """Return whether a claim compares a value that no run has measured yet."""
    asked = (term for term in result.claim.terms() if report.exhibit.row(term.row).run is not None)
    return any((term.row, term.metric.key, PAPER_PROTOCOL) not in report.series for term in asked)


def _counted(entries: Iterable[tuple[ClaimResult, Waiting | None]]) -> ClaimCounts:
    entries = list(entries)
    return ClaimCounts(
        Counter(result.status for result, _ in entries), Counter(waits for _, waits in entries if waits is not None)
    )


def _decide_seconds(with_outlooks: Sequence[tuple[ExhibitReport, list[ClaimOutlook]]]) -> float | None:
    """Return the expected seconds of the runs that decide claims; runs of several exhibits count once.

    Results of others decide nothing of one's own: their seeds of the rows in question have to be run again, too.
    """
    total: dict[str, float] = {}
    for report, found in with_outlooks:
        rows = {row.row.key: row for row in report.rows}
        for key, runs in expected_runs(found).items():
            row = rows[key]
            each = _seconds_of_run(report, row)
            if each is None or row.row.run is None:
                return None
            again = row.seeds - 1 if report.origin else 0
            total[row.row.run.id] = max(total.get(row.row.run.id, 0.0), (runs + again) * each)
    if not total:
        return None
    reports = [report for report, _ in with_outlooks]
    return sum(total.values()) / reports[0].remaining_time.workers + (_run_seconds(reports) or 0.0)


def _seconds_of_run(report: ExhibitReport, row: ReportRow) -> float | None:
    """Return the mean seconds of the measured runs of a row, None without any.

    They are those of training and of the evaluations of the exhibit: further runs need no others.
    """
    found = [series for (key, _, _), series in report.series.items() if key == row.row.key]
    evaluations, runs = {series.evaluation for series in found}, {run for series in found for run in series.runs}
    seconds = [
        sum(_seconds(segment, evaluations) for segment in report.segments[run])
        for run in sorted(runs)
        if report.segments.get(run)
    ]
    return sum(seconds) / len(seconds) if seconds else None


def _seconds(segment: Segment, evaluations: Collection[str]) -> float:
    """Return the seconds of a segment without those of other evaluations."""
    return segment.seconds - sum(seconds for id, seconds in segment.evaluations.items() if id not in evaluations)


def _run_seconds(reports: Sequence[ExhibitReport]) -> float | None:
    """Return the expected seconds of the unfinished first runs, None if one is unknown or none is left."""
    left = {run: seconds for report in reports for run, seconds in report.remaining_time.by_run.items()}
    return RemainingTime(reports[0].remaining_time.workers, left).seconds
