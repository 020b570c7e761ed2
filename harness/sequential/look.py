"""A look at the claims of a decision: which are undecided, and which rows get another seed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.registry.cells import cells
from harness.registry.papers import find_with_readings
from harness.registry.selection import SelectedRows, select_rows
from harness.report.results.claims import ClaimResult, ClaimStatus, decide
from harness.report.results.levels import horizon, level_for
from harness.report.results.outlook import ClaimOutlook, outlooks
from harness.report.results.report import ExhibitReport, build
from harness.store.decisions import Decision, RowSeed
from harness.store.results import Results
from harness.store.run_directory import RunState

ENDED_BADLY = (RunState.FAILED, RunState.CANCELLED, RunState.UNREADABLE)


@dataclass(frozen=True)
class Look:
    """The reports of a decision, and the outlook of each undecided claim with its report.

    `statuses` counts the claims at the level for `most_seeds`: those of the decision, or the next horizon if there are
    more already.
    """

    reports: tuple[ExhibitReport, ...]
    outlooks: tuple[tuple[ExhibitReport, ClaimOutlook], ...]
    statuses: Mapping[ClaimStatus, int]
    most_seeds: int

    @property
    def level(self) -> float:
        """The level of the intervals."""
        return level_for(self.most_seeds)

    @property
    def added(self) -> dict[RowSeed, float]:
        """The seeds to add, each with the share of the variances of undecided contrasts that it removes, summed."""
        gains: dict[RowSeed, float] = defaultdict(float)
        for report, outlook in self.outlooks:
            for row, seed in outlook.next_seeds.items():
                gains[RowSeed(exhibit=report.name, row=row, seed=seed)] += outlook.gains[row]
        return dict(gains)

    @property
    def helped(self) -> list[tuple[ExhibitReport, ClaimOutlook]]:
        """The undecided claims that more seeds may decide."""
        return [(report, outlook) for report, outlook in self.outlooks if not outlook.futility]

    @property
    def futile(self) -> list[tuple[ExhibitReport, ClaimOutlook]]:
        """The undecided claims that seeds do not help."""
        return [(report, outlook) for report, outlook in self.outlooks if outlook.futility]


def selected(decision: Decision) -> list[SelectedRows]:
    """Return the exhibits of a decision with their rows.

    Raises `SpecError` if one does not exist in this version.
    """
    return select_rows(find_with_readings(decision.exhibits, decision.also), decision.rows)


def look(decision: Decision, results: Results) -> Look:
    """Look at all claims of a decision with the present seeds."""
    present = Results(results.root, results.report, results.label)  # readers keep what they have read
    reports, undecided = [], []
    statuses = dict.fromkeys(ClaimStatus, 0)
    largest = decision.most_seeds
    for paper, exhibit, rows in selected(decision):
        report = build(paper, exhibit, paper.scale(decision.scale), present, rows=rows)
        reports.append(report)
        most = horizon(decision.most_seeds, report.seeds)
        largest = max(largest, most)
        for found in report.claim_results:
            statuses[_status(found, report, level_for(most))] += 1
        for outlook in outlooks(report, decision.most_seeds):
            undecided.append((report, _without_bad_runs(report, outlook, present)))
    return Look(tuple(reports), tuple(undecided), statuses, largest)


def _status(found: ClaimResult, report: ExhibitReport, level: float) -> ClaimStatus:
    """Return the status of a claim at a level; what it presupposes does not depend on the level."""
    unchecked = found.status is ClaimStatus.UNDECIDED and any(finding.met is None for finding in found.findings)
    if found.status is ClaimStatus.BEYOND or unchecked:
        return found.status
    return decide(found.claim, report.exhibit, report.series, report.scale, level).status


def _without_bad_runs(report: ExhibitReport, outlook: ClaimOutlook, results: Results) -> ClaimOutlook:
    """Return an outlook without seeds if a run of its rows failed, was cancelled or is damaged."""
    for row, seed in outlook.next_seeds.items():
        of_row = cells(report.paper, report.exhibit, [report.exhibit.row(row)], report.scale, range(seed + 1))
        for run in dict.fromkeys(cell.run for cell in of_row):
            directory = results.directory(run)
            if directory.config.exists() and (state := directory.state()) in ENDED_BADLY:
                why = f"a run of {row} is {state}: 'retry {run.id}' starts it again"
                return replace(outlook, next_seeds={}, gains={}, futility=why)
    return outlook
