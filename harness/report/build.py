"""Puts a table together: reported and measured values, verdicts, coverage, and the claims with what decides them."""

from dataclasses import dataclass
from math import isfinite, nan

import pandas as pd

from harness.report.claims import Decision, decide
from harness.report.frame import feature_space, measurements
from harness.report.verdicts import Verdict, judge
from harness.spec.cells import cells
from harness.spec.metrics import Metric
from harness.spec.paper import Paper
from harness.spec.scale import Scale
from harness.spec.table import Row, Table
from harness.store.run_directory import Results


@dataclass(frozen=True)
class Measured:
    """The values of a cell over seeds: their mean, their standard deviation (None for one seed), and the runs."""

    mean: float
    sd: float | None
    seeds: int
    runs: tuple[str, ...]


@dataclass(frozen=True)
class ReportCell:
    """A metric of a row: what the paper says, what was measured, and the verdict."""

    metric: Metric
    reported: float | None
    measured: Measured | None
    verdict: Verdict


@dataclass(frozen=True)
class ReportRow:
    """A row of the table with its cells, in the order of the table's metrics."""

    row: Row
    cells: tuple[ReportCell, ...]

    @property
    def seeds(self) -> int:
        """The number of seeds behind the row: the smallest over its measured cells."""
        return min((cell.measured.seeds for cell in self.cells if cell.measured), default=0)


@dataclass(frozen=True)
class TableReport:
    """A table with everything that the writers print."""

    paper: Paper
    table: Table
    scale: Scale
    labels: dict[str, str]
    rows: tuple[ReportRow, ...]
    decisions: tuple[Decision, ...]
    features: dict[str, str | float] | None
    wanted: int
    frame: pd.DataFrame

    @property
    def name(self) -> str:
        """The table's full name, such as `hybvit/table6`."""
        return f"{self.paper.name}/{self.table.name}"

    @property
    def measured(self) -> int:
        """The number of cells with a measured value."""
        return sum(cell.measured is not None for row in self.rows for cell in row.cells)

    @property
    def failures(self) -> int:
        """The number of cells that fail."""
        return sum(cell.verdict is Verdict.FAIL for row in self.rows for cell in row.cells)


def build(paper: Paper, table: Table, scale: Scale, results: Results) -> TableReport:
    """Return the report of a table from whatever has been measured; partial is normal."""
    frame = measurements(paper, table, scale, results)
    possible = list(cells(paper, table, table.rows, scale, [0]))
    return TableReport(
        paper=paper,
        table=table,
        scale=scale,
        labels={cell.metric.key: cell.label for cell in possible},
        rows=tuple(ReportRow(row, _cells(paper, table, row, scale, frame)) for row in table.rows),
        decisions=tuple(decide(claim, table, frame, scale) for claim in table.claims),
        features=feature_space(frame, results),
        wanted=len(possible),
        frame=frame,
    )


def _cells(paper: Paper, table: Table, row: Row, scale: Scale, frame: pd.DataFrame) -> tuple[ReportCell, ...]:
    found = []
    for metric in table.metrics:
        reported = table.reported(row, metric)
        lines = frame[(frame["row"] == row.key) & (frame["metric"] == metric.key)]
        measured = None
        if len(lines):
            values = lines["value"]
            sd = _sd(values)
            measured = Measured(float(values.mean(skipna=False)), sd, len(values), tuple(lines["run"]))
        if row.run is None:
            verdict = Verdict.NOT_REPORTED if reported is None else Verdict.CITED
        else:
            mean = measured.mean if measured else None
            verdict = judge(reported, mean, paper.tolerances.get(metric.key), scale.comparable)
        found.append(ReportCell(metric, reported, measured, verdict))
    return tuple(found)


def _sd(values: "pd.Series[float]") -> float | None:
    """Return the standard deviation between seeds (ddof 1): None for one seed, NaN when a value is not finite."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1)) if all(map(isfinite, values)) else nan
