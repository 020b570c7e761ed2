"""The cells of a report: what was printed, what was measured or configured, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite, nan

import pandas as pd

from harness.report.verdicts import Verdict, judge, judge_setting
from harness.spec.cells import Cell
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import FURTHER, Metric
from harness.spec.paper import Paper
from harness.spec.row import Printed, Row, Setting
from harness.spec.scale import Scale
from harness.store.records import Need
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

    `wanted` says whether a run measures it, `readings` holds what other protocols measured, by their names. `labels`
    says what the values are called, by the name of the protocol, of which the paper's is empty; `needs` what kept the
    cell from being measured.
    """

    metric: Metric
    reported: Printed
    measured: Measured | Configured | None
    verdict: Verdict
    wanted: bool
    readings: dict[str, Measured] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    needs: Need | None = None


@dataclass(frozen=True)
class ReportRow:
    """A row of the exhibit with its cells, in the order of the exhibit's metrics.

    `further` are those of metrics that were measured with them and have no column in the paper.
    """

    row: Row
    cells: tuple[ReportCell, ...]
    further: tuple[ReportCell, ...] = ()

    @property
    def seeds(self) -> int:
        """The number of seeds behind the row: the smallest over its measured cells."""
        return min((cell.measured.seeds for cell in self.cells if isinstance(cell.measured, Measured)), default=0)


class Finder:
    """Finds the values of an exhibit's cells; `possible` are all that can be measured, further metrics included."""

    def __init__(
        self,
        paper: Paper,
        exhibit: Exhibit,
        scale: Scale,
        frame: pd.DataFrame,
        possible: Sequence[Cell],
        results: Results,
    ) -> None:
        self.possible = possible
        self._paper = paper
        self._exhibit = exhibit
        self._scale = scale
        groups = frame.groupby(["row", "metric", "reading"])
        self._lines = {(str(row), str(metric), str(reading)): lines for (row, metric, reading), lines in groups}
        self._asked: dict[tuple[str, Metric], dict[str, Cell]] = {}
        for cell in possible:
            self._asked.setdefault((cell.row.key, cell.metric), {}).setdefault(cell.reading, cell)
        self._outcome = cache(lambda run: results.directory(run).last_outcome())

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return what the values of each metric by the paper's protocol are called, each once."""
        found: dict[str, dict[str, None]] = {}
        for cell in self.possible:
            if not cell.reading:
                found.setdefault(cell.metric.key, {})[cell.label] = None
        return {key: tuple(names) for key, names in found.items()}

    def cells(self, row: Row) -> tuple[ReportCell, ...]:
        """Return the cells of a row, in the order of the exhibit's metrics."""
        return tuple(self._judged(row, metric) for metric in self._exhibit.metrics)

    def further(self, row: Row) -> tuple[ReportCell, ...]:
        """Return what was measured of a row besides its cells."""
        found = (self._cell(row, metric, None) for metric in FURTHER if metric not in self._exhibit.metrics)
        return tuple(cell for cell in found if cell.measured or cell.readings)

    def _judged(self, row: Row, metric: Metric) -> ReportCell:
        reported = self._exhibit.reported(row, metric)
        if row.setting is not None:
            value = configured(row.setting, self._scale)
            verdict = judge_setting(reported, value, self._scale.comparable)
            return ReportCell(metric, reported, Configured(value), verdict, wanted=True)
        cell = self._cell(row, metric, reported)
        if row.run is None:
            return cell if reported is None else replace(cell, verdict=Verdict.CITED)
        mean = cell.measured.mean if isinstance(cell.measured, Measured) else None
        tolerance = self._paper.tolerances.get(metric.key)
        return replace(cell, verdict=judge(reported, mean, tolerance, self._scale.comparable))

    def _cell(self, row: Row, metric: Metric, reported: Printed) -> ReportCell:
        """Return a cell without its verdict."""
        asked = self._asked.get((row.key, metric), {})
        found = {name: _measured(self._lines.get((row.key, metric.key, name))) for name in asked}
        measured, own = found.pop("", None), asked.get("")
        return ReportCell(
            metric,
            reported,
            measured,
            Verdict.NOT_REPORTED,
            wanted=own is not None,
            readings={name: value for name, value in found.items() if value is not None},
            labels={name: cell.label for name, cell in asked.items()},
            needs=self._needs(own) if own and measured is None else None,
        )

    def _needs(self, cell: Cell) -> Need | None:
        """Return what the last worker on a run could not measure a cell without, or that the run was cancelled."""
        outcome = self._outcome(cell.run)
        if outcome is not None and outcome.state == "cancelled":
            return Need(what="cancelled", how=f"python -m harness retry {cell.run.id}")
        return outcome.needs.get(cell.evaluation.id) if outcome else None


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
