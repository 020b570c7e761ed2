"""Builds the report of an exhibit: reported and measured values, verdicts, coverage, and claims with evidence."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.config.evaluations import measure_of
from harness.registry.cells import Cell, cells
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.registry.scale import Scale
from harness.report.results.beyond_scale import apply_presuppositions
from harness.report.results.cell_builder import CellBuilder
from harness.report.results.cells import ReportRow
from harness.report.results.claims import ClaimResult, decide
from harness.report.results.column_digits import ColumnDigits
from harness.report.results.levels import level_in_use
from harness.report.results.presuppositions import Presuppositions
from harness.report.results.rank_agreement import RankAgreement, rank_agreements
from harness.report.results.rechecked import Rechecks
from harness.report.results.remaining_time import RemainingTime
from harness.report.results.series import (
    Measurements,
    Series,
    SeriesKey,
    details,
    measurements,
    most_seeds_of,
    need_of,
    with_secondary,
)
from harness.report.results.stand_ins import DataInUse, data_of, stand_ins
from harness.report.results.table_verdict import TableVerdict
from harness.report.results.verdict_counts import VerdictCounts
from harness.store.code import other_code
from harness.store.files import StoreError
from harness.store.reader import Reader
from harness.store.records import Need, Segment
from harness.store.results import Results
from harness.store.usage import Usage


@dataclass(frozen=True)
class ExhibitReport:
    """A table or figure with everything that the writers print.

    `labels` has the printed names of each metric's values; several, if the rows have several datasets or protocols.
    `remarks` are notes of evaluations on their values, which are in `series`. `shown` are secondary metrics that get
    columns. `segments` has the segments of each of its runs. `damaged` are the records that could not be read. `origin`
    names results that are not the user's own. `whole` is the exhibit with all its rows if some are not shown.
    `stand_ins` are the datasets in the place of the paper's. `most_seeds` is the largest number of seeds by which
    claims are decided if seeds are added until they are, None if the number was fixed beforehand. `rechecks` are those
    of its measured runs. `remaining_time` is that of its unfinished runs.
    """

    paper: Paper
    exhibit: Exhibit
    scale: Scale
    labels: dict[str, tuple[str, ...]]
    rows: tuple[ReportRow, ...]
    claim_results: tuple[ClaimResult, ...]
    feature_spaces: tuple[dict[str, str | float], ...]
    remarks: tuple[str, ...]
    wanted: int
    series: Mapping[SeriesKey, Series]
    shown: tuple[Metric, ...] = ()
    segments: Mapping[str, Sequence[Segment]] = field(default_factory=dict)
    damaged: tuple[Need, ...] = ()
    origin: str = ""
    whole: Exhibit | None = None
    stand_ins: tuple[DataInUse, ...] = ()
    most_seeds: int | None = None
    rechecks: Rechecks = field(default_factory=dict)
    remaining_time: RemainingTime = field(default_factory=RemainingTime)

    @property
    def seeds(self) -> int:
        """The largest number of seeds of a cell."""
        return most_seeds_of(self.series)

    @property
    def level(self) -> float:
        """The level of the intervals by which its claims are decided."""
        return level_in_use(self.most_seeds, self.seeds)

    @property
    def verdict_counts(self) -> VerdictCounts:
        """The number of cells by verdict."""
        return VerdictCounts.of(cell.verdict for row in self.rows for cell in row.cells)

    @cached_property
    def digits(self) -> ColumnDigits:
        """The decimals of its values."""
        return ColumnDigits(self.rows)

    @cached_property
    def agreements(self) -> tuple[RankAgreement, ...]:
        """Whether the measured values put the rows in the paper's order."""
        return rank_agreements(self.exhibit, self.rows, self.scale)

    @cached_property
    def usage(self) -> dict[str, Usage]:
        """The cost of each of its runs so far."""
        return {run: Usage.of(segments) for run, segments in self.segments.items()}

    @cached_property
    def world_sizes(self) -> dict[str, tuple[int, ...]]:
        """The numbers of ranks that computed each of its runs, one for each segment, each once."""
        return {run: tuple(sorted({one.world_size for one in found})) for run, found in self.segments.items()}

    @cached_property
    def stale(self) -> dict[str, tuple[str, ...]]:
        """The runs measured with other code than is installed, with the distributions that differ."""
        found = {run: other_code(segments) for run, segments in self.segments.items()}
        return {run: names for run, names in found.items() if names}

    @property
    def name(self) -> str:
        """The exhibit's full name, such as `hybvit/table6`."""
        return f"{self.paper.name}/{self.exhibit.name}"

    def data(self, rows: Iterable[Row]) -> tuple[DataInUse, ...]:
        """Return the training data of some rows, each once."""
        return tuple(dict.fromkeys(data_of(row.run, self.scale) for row in rows if row.run))

    @property
    def measured(self) -> int:
        """The number of measured or configured values, including those of other protocols."""
        return sum((cell.measured is not None) + len(cell.readings) for row in self.rows for cell in row.cells)

    @cached_property
    def verdict(self) -> TableVerdict:
        """The verdict on the exhibit."""
        return TableVerdict.of(cell.judgement for row in self.rows for cell in row.cells)

    def label(self, metric: Metric) -> str:
        """Return the printed name of a metric's measured values, without dataset and protocol if they differ."""
        labels = self.labels.get(metric.key, (metric.label,))
        measures = {measure_of(label) for label in labels}
        if len(measures) > 1:
            return labels[0].partition("(")[0]
        return labels[0] if len(labels) == 1 else measures.pop()

    @property
    def needs(self) -> tuple[str, ...]:
        """Why cells were not measured, each reason once with the command that fixes it."""
        needs = (str(cell.needs) for row in self.rows for cell in row.cells if cell.needs)
        return tuple(dict.fromkeys([*needs, *map(str, self.damaged)]))


def build(
    paper: Paper,
    exhibit: Exhibit,
    scale: Scale,
    results: Results,
    shown: tuple[Metric, ...] = (),
    rows: Sequence[Row] | None = None,
) -> ExhibitReport:
    """Return the report of an exhibit from the measurements so far; partial results are normal.

    Secondary metrics in `shown` get columns if the exhibit's evaluations measure them. With `rows`, only these rows are
    shown, counted and ranked, and claims that need others are left out.
    """
    whole = exhibit if rows is not None and len(rows) < len(exhibit.rows) else None
    exhibit = exhibit.only(rows or ()) if whole else exhibit
    measured = measurements(paper, exhibit, scale, results)
    possible = list(cells(paper, exhibit, exhibit.rows, scale, [0]))
    builder = CellBuilder(paper, exhibit, scale, measured, tuple(with_secondary(possible, exhibit)), results)
    noted = details(measured.series.values(), results)
    presuppositions = Presuppositions(paper, exhibit, scale, measured.series, results)
    segments, unreadable = _segments(_runs(possible, measured), results.reader)
    most = results.most_seeds(paper.name, scale.name)
    level = level_in_use(most, most_seeds_of(measured.series))
    return ExhibitReport(
        paper=paper,
        exhibit=exhibit,
        scale=scale,
        labels=builder.labels(),
        rows=tuple(ReportRow(row, builder.cells(row), builder.secondary(row)) for row in exhibit.rows),
        claim_results=tuple(
            apply_presuppositions(
                decide(claim, exhibit, measured.series, scale, level), exhibit, scale, presuppositions
            )
            for claim in exhibit.claims
        ),
        feature_spaces=_feature_spaces(noted),
        remarks=tuple(dict.fromkeys(note for found in noted if isinstance(note := found.get("note"), str))),
        wanted=len(possible) + sum(row.setting is not None for row in exhibit.rows),
        series=measured.series,
        shown=tuple(metric for metric in shown if any(cell.metric == metric for cell in builder.possible)),
        segments=segments,
        damaged=(*measured.damaged.values(), *unreadable),
        origin=results.label,
        whole=whole,
        stand_ins=stand_ins(possible, paper, scale),
        most_seeds=most,
        rechecks={run: results.reader.rechecks(run) for run in measured.runs},
    )


def _feature_spaces(noted: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str | float], ...]:
    """Return the descriptions of feature spaces, each once."""
    found = [details["feature_space"] for details in noted if "feature_space" in details]
    return tuple({json.dumps(space, sort_keys=True): space for space in found}.values())


def _segments(runs: Sequence[str], reader: Reader) -> tuple[dict[str, Sequence[Segment]], list[Need]]:
    """Return the segments of each run (none if one of its records is unreadable), and the unreadable records."""
    segments: dict[str, Sequence[Segment]] = dict.fromkeys(runs, ())
    unreadable = []
    for run in runs:
        try:
            segments[run] = reader.segments(run)
        except StoreError as error:
            unreadable.append(need_of(error))
    return segments, unreadable


def _runs(possible: Sequence[Cell], measured: Measurements) -> list[str]:
    """Return the ids of an exhibit's runs: seed 0 of every row, then all other measured runs."""
    return list(dict.fromkeys([*(cell.run.id for cell in possible), *measured.runs]))
