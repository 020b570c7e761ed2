"""Puts an exhibit together: reported and measured values, verdicts, coverage, and claims with what decides them."""

from dataclasses import dataclass, field
from math import isfinite, nan

import pandas as pd

from harness.report.claims import Decision, decide
from harness.report.frame import details, measurements
from harness.report.verdicts import Verdict, judge, judge_setting
from harness.spec.cells import cells
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import Metric
from harness.spec.paper import Paper
from harness.spec.row import Printed, Row, Setting
from harness.spec.scale import Scale
from harness.store.run_directory import Results


@dataclass(frozen=True)
class Measured:
    """The values of a cell over seeds: their mean, their standard deviation (None for one seed), and the runs."""

    mean: float
    sd: float | None
    seeds: int
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Configured:
    """What the resolved configurations have for a hyper-parameter, as text."""

    value: str


@dataclass(frozen=True)
class ReportCell:
    """A metric of a row: what the paper says, what was measured or configured, and the verdict.

    `wanted` says whether a run measures it, `readings` holds what other protocols measured, by their names.
    """

    metric: Metric
    reported: Printed
    measured: Measured | Configured | None
    verdict: Verdict
    wanted: bool
    readings: dict[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportRow:
    """A row of the exhibit with its cells, in the order of the exhibit's metrics."""

    row: Row
    cells: tuple[ReportCell, ...]

    @property
    def seeds(self) -> int:
        """The number of seeds behind the row: the smallest over its measured cells."""
        return min((cell.measured.seeds for cell in self.cells if isinstance(cell.measured, Measured)), default=0)


@dataclass(frozen=True)
class ExhibitReport:
    """A table or figure with everything that the writers print.

    `labels` holds what the measured values of each metric are called; several, where the rows have several datasets.
    `remarks` are what evaluations say of their values.
    """

    paper: Paper
    exhibit: Exhibit
    scale: Scale
    labels: dict[str, tuple[str, ...]]
    rows: tuple[ReportRow, ...]
    decisions: tuple[Decision, ...]
    feature_spaces: tuple[dict[str, str | float], ...]
    remarks: tuple[str, ...]
    wanted: int
    frame: pd.DataFrame

    @property
    def name(self) -> str:
        """The exhibit's full name, such as `hybvit/table6`."""
        return f"{self.paper.name}/{self.exhibit.name}"

    @property
    def measured(self) -> int:
        """The number of cells with a measured or configured value, other protocols' included."""
        return sum((cell.measured is not None) + len(cell.readings) for row in self.rows for cell in row.cells)

    @property
    def failures(self) -> int:
        """The number of cells that fail."""
        return sum(cell.verdict is Verdict.FAIL for row in self.rows for cell in row.cells)

    def label(self, metric: Metric) -> str:
        """Return what the measured values of a metric are called, without the dataset where there are several."""
        labels = self.labels.get(metric.key, (metric.label,))
        return labels[0] if len(labels) == 1 else labels[0].partition("(")[0]


def build(paper: Paper, exhibit: Exhibit, scale: Scale, results: Results) -> ExhibitReport:
    """Return the report of an exhibit from whatever has been measured; partial is normal."""
    frame = measurements(paper, exhibit, scale, results)
    possible = list(cells(paper, exhibit, exhibit.rows, scale, [0]))
    labels: dict[str, dict[str, None]] = {}
    for cell in possible:
        labels.setdefault(cell.metric.key, {})[cell.label] = None
    groups = frame.groupby(["row", "metric", "reading"])
    by_cell = {(str(row), str(metric), str(reading)): lines for (row, metric, reading), lines in groups}
    wanted = {(cell.row.key, cell.metric.key) for cell in possible}
    noted = details(frame, results)
    return ExhibitReport(
        paper=paper,
        exhibit=exhibit,
        scale=scale,
        labels={key: tuple(names) for key, names in labels.items()},
        rows=tuple(ReportRow(row, _cells(paper, exhibit, row, scale, by_cell, wanted)) for row in exhibit.rows),
        decisions=tuple(decide(claim, exhibit, frame, scale) for claim in exhibit.claims),
        feature_spaces=tuple(
            {space["data"]: space for found in noted if (space := found.get("feature_space"))}.values()
        ),
        remarks=tuple(dict.fromkeys(found["note"] for found in noted if "note" in found)),
        wanted=len(possible) + sum(row.setting is not None for row in exhibit.rows),
        frame=frame,
    )


def _cells(
    paper: Paper,
    exhibit: Exhibit,
    row: Row,
    scale: Scale,
    by_cell: dict[tuple[str, str, str], pd.DataFrame],
    wanted: set[tuple[str, str]],
) -> tuple[ReportCell, ...]:
    found = []
    for metric in exhibit.metrics:
        reported = exhibit.reported(row, metric)
        if row.setting is not None:
            value = configured(row.setting, scale)
            verdict = judge_setting(reported, value, scale.comparable)
            found.append(ReportCell(metric, reported, Configured(value), verdict, wanted=True))
            continue
        measured = _measured(by_cell.get((row.key, metric.key, "")))
        others = {name: _measured(by_cell.get((row.key, metric.key, name))) for name in exhibit.readings}
        if row.run is None:
            verdict = Verdict.NOT_REPORTED if reported is None else Verdict.CITED
        else:
            tolerance = paper.tolerances.get(metric.key)
            verdict = judge(reported, measured.mean if measured else None, tolerance, scale.comparable)
        readings = {name: value for name, value in others.items() if value is not None}
        found.append(ReportCell(metric, reported, measured, verdict, (row.key, metric.key) in wanted, readings))
    return tuple(found)


def configured(setting: Setting, scale: Scale) -> str:
    """Return the values that a hyper-parameter has in the resolved configurations at a scale, each once."""
    values = {scale.shrink(run).config.value_of(setting.field) for run in setting.runs}
    numbers = sorted(value for value in values if isinstance(value, int | float))
    words = sorted(str(value) for value in values if not isinstance(value, int | float))
    return ", ".join([f"{number:g}" for number in numbers] + words)


def _measured(lines: pd.DataFrame | None) -> Measured | None:
    if lines is None:
        return None
    values = lines["value"]
    return Measured(float(values.mean(skipna=False)), _sd(values), len(values), tuple(lines["run"]))


def _sd(values: "pd.Series[float]") -> float | None:
    """Return the standard deviation between seeds (ddof 1): None for one seed, NaN when a value is not finite."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1)) if all(map(isfinite, values)) else nan
