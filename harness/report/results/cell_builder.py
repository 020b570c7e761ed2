"""Builds the cells of a report from the measurements of an exhibit."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite, nan
from statistics import mean, stdev

from harness.advice import command
from harness.registry.cells import PAPER_PROTOCOL, Cell
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper
from harness.registry.row import Row, Setting, Words
from harness.registry.scale import Scale
from harness.report.results.cell_noise import CellNoise
from harness.report.results.cells import Configured, Measured, ReportCell
from harness.report.results.series import Measurements, Series, need_of
from harness.report.results.statistics import PrintedValue, Statistics, describe
from harness.report.results.verdicts import Judgement, Verdict, VerdictRule, judge, judge_setting
from harness.store.files import StoreError
from harness.store.records import Need
from harness.store.results import Results


class CellBuilder:
    """Builds the cells of an exhibit; `possible` are all measurable cells, including those of secondary metrics."""

    def __init__(
        self,
        paper: Paper,
        exhibit: Exhibit,
        scale: Scale,
        measurements: Measurements,
        possible: Sequence[Cell],
        results: Results,
    ) -> None:
        self.possible = possible
        self._paper = paper
        self._exhibit = exhibit
        self._scale = scale
        self._series = measurements.series
        self._waiting = measurements.waiting
        self._noise = CellNoise(measurements.series, exhibit.metrics, scale)
        self._asked: dict[tuple[str, Metric], dict[str, Cell]] = {}
        for cell in possible:
            self._asked.setdefault((cell.row.key, cell.metric), {}).setdefault(cell.reading, cell)
        self._damaged = measurements.damaged
        self._reader = results.reader

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the printed names of each metric's values by the paper's protocol, each once."""
        found: dict[str, dict[str, None]] = {}
        for cell in self.possible:
            if not cell.reading:
                found.setdefault(cell.metric.key, {})[cell.label] = None
        return {key: tuple(names) for key, names in found.items()}

    def cells(self, row: Row) -> tuple[ReportCell, ...]:
        """Return the cells of a row, in the order of the exhibit's metrics."""
        return tuple(self._judged(row, metric) for metric in self._exhibit.metrics)

    def secondary(self, row: Row) -> tuple[ReportCell, ...]:
        """Return the measured cells of a row's secondary metrics."""
        metrics = dict.fromkeys(cell.metric for cell in self.possible if cell.metric not in self._exhibit.metrics)
        found = (self._cell(row, metric) for metric in metrics)
        return tuple(cell for cell in found if cell.measured or cell.readings)

    def _judged(self, row: Row, metric: Metric) -> ReportCell:
        exhibit = self._exhibit
        cell = replace(
            self._cell(row, metric),
            reported=exhibit.reported(row, metric),
            reported_sd=exhibit.reported_sd(row, metric),
            reported_n=exhibit.reported_n(row, metric),
            source=exhibit.source(row, metric),
        )
        rule = VerdictRule(
            comparable=self._scale.comparable,
            tolerance=self._paper.tolerances.get(metric.key),
            source=cell.source,
            expected=exhibit.expected_to_fail(row, metric),
        )
        if row.setting is not None:
            value = configured(row.setting, self._scale)
            judgement = judge_setting(cell.reported, value, rule)
            return replace(cell, measured=Configured(value), judgement=judgement, wanted=True)
        if row.run is None:
            return cell if cell.reported is None else replace(cell, judgement=Judgement(Verdict.CITED))
        found = cell.measured if isinstance(cell.measured, Measured) else None
        key = row.key, metric.key, PAPER_PROTOCOL
        prediction = self._noise.prediction(metric, self._series.get(key), _printed(cell))
        judgement = judge(metric, cell.reported, found.mean if found else None, rule, self._waiting[key], prediction)
        return replace(cell, judgement=judgement, statistics=_statistics(cell, found, judgement))

    def _cell(self, row: Row, metric: Metric) -> ReportCell:
        """Return a cell without reported value and judgement."""
        asked = self._asked.get((row.key, metric), {})
        found = {name: _measured(self._series.get((row.key, metric.key, name))) for name in asked}
        measured, own = found.pop(PAPER_PROTOCOL, None), asked.get(PAPER_PROTOCOL)
        return ReportCell(
            metric,
            None,
            measured,
            Judgement(Verdict.NOT_REPORTED),
            wanted=own is not None,
            readings={name: value for name, value in found.items() if value is not None},
            labels={name: cell.label for name, cell in asked.items()},
            needs=self._needs(own) if own and measured is None else None,
            source=row.source,
            evaluation=own.evaluation if own else None,
        )

    def _needs(self, cell: Cell) -> Need | None:
        """Return why a cell is not measured: a damaged record, a cancelled run, or a missing requirement."""
        if damaged := self._damaged.get((cell.run.id, cell.evaluation.id)):
            return damaged
        try:
            outcome = self._reader.outcome(cell.run.id)
        except StoreError as error:
            return need_of(error)
        if outcome is not None and outcome.state == "cancelled":
            return Need(what="cancelled", how=command(f"retry {cell.run.id}"))
        return outcome.needs.get(cell.evaluation.id) if outcome else None


def configured(setting: Setting, scale: Scale) -> str:
    """Return the values of a hyper-parameter in the resolved configurations at a scale, each once."""
    values = {scale.shrink(run).config.value_of(setting.field) for run in setting.runs}
    numbers = sorted(value for value in values if isinstance(value, int | float))
    words = sorted(str(value) for value in values if not isinstance(value, int | float))
    return ", ".join([f"{number:g}" for number in numbers] + words)


def _measured(found: Series | None) -> Measured | None:
    if found is None:
        return None
    return Measured(_mean(found.values), _sd(found.values), found.runs, found.values, found.seeds, found.spaces)


def _statistics(cell: ReportCell, found: Measured | None, judgement: Judgement) -> Statistics | None:
    """Return the statistics of a value that varies between seeds, with a test of the reported one if comparable."""
    if found is None or cell.metric.noise == "none":
        return None
    printed = _printed(cell) if judgement.difference is not None else None
    return describe(found.values, printed, judgement.prediction)


def _printed(cell: ReportCell) -> PrintedValue | None:
    if isinstance(cell.reported, Words | None):
        return None
    return PrintedValue(cell.reported, cell.reported_sd or 0.0, cell.reported_n or 1)


def _mean(values: Sequence[float]) -> float:
    return mean(values) if all(map(isfinite, values)) else sum(values) / len(values)


def _sd(values: Sequence[float]) -> float | None:
    """Return the standard deviation between seeds (ddof 1): None for one seed, NaN if a value is not finite."""
    if len(values) < 2:
        return None
    return stdev(values) if all(map(isfinite, values)) else nan
