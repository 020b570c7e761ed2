"""The data behind the cells, for the page's script: every value with its seed, run and record."""

from typing import Any

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.digits import interval, p_value
from harness.registry.metrics import Metric
from harness.report.html.numbers import MINUS
from harness.report.html.tables import cell_key
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.series import Series
from harness.report.writers.csv_json import json_number
from harness.report.writers.exhibit_notes import ranks
from harness.store.files import StoreError
from harness.store.results import Results


class PageValues:
    """Input of the page's script: the cells of exhibits, their runs, and the evaluation protocols.

    Values refer to runs by index into `runs`, and records are stored once: there may be ten thousand of each.
    `ranks` has the runs that several ranks computed.
    """

    def __init__(self, results: Results) -> None:
        self.cells: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, int] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.ranks: dict[str, str] = {}
        self._results = results

    def add(self, report: ExhibitReport) -> None:
        """Add the cells of an exhibit."""
        self.ranks |= {run: name for run in report.world_sizes if (name := ranks(report, run))}
        for index, row in enumerate(report.rows):
            for cell in row.cells:
                if cell.wanted and row.row.run is not None:
                    self.cells[cell_key(report, index, cell.metric)] = self._cell(report, row, cell)

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON document."""
        return {"cells": self.cells, "runs": list(self.runs), "records": self.records, "ranks": self.ranks}

    def _cell(self, report: ExhibitReport, row: ReportRow, cell: ReportCell) -> dict[str, Any]:
        key, metric = row.row.key, cell.metric
        own = row.row.run
        found: dict[str, Any] = {
            "exhibit": report.exhibit.name,
            "row": key,
            "metric": cell.labels.get(PAPER_PROTOCOL) or report.label(metric),
            "unit": metric.unit,
            "paper": cell.printed,
            "verdict": str(cell.judgement),
            "first": self._number(report.scale.shrink(own).id) if own else None,
            "measured": [
                self._values(series, reading)
                for reading in (PAPER_PROTOCOL, *cell.readings)
                if (series := report.series.get((key, metric.key, reading)))
            ],
        }
        if cell.reported_n is not None:
            found["paper_seeds"] = cell.reported_n
        if cell.reported is not None and cell.source != "own":
            found["source"] = cell.source
        if isinstance(cell.measured, Measured):
            found["ours"] = str(report.digits.form(cell.measured, metric))
        if cell.needs:
            found["needs"] = str(cell.needs)
        return found | _judgement(report, cell) | _statistics(metric, cell)

    def _values(self, found: Series, reading: str) -> dict[str, Any]:
        return {
            "reading": reading,
            "label": found.label,
            "record": self._record(found.runs[0], found.evaluation, found.data),
            "evaluation": found.evaluation,
            "n": found.items,
            "values": [
                [seed, self._number(run), json_number(value)]
                for seed, run, value in zip(found.seeds, found.runs, found.values, strict=True)
            ],
        }

    def _number(self, run: str) -> int:
        return self.runs.setdefault(run, len(self.runs))

    def _record(self, run: str, evaluation: str, data: str) -> str:
        """Store a record's protocol and details once for all runs on the same data; return their key."""
        name = f"{evaluation} {data}"
        if name not in self.records:
            try:
                record = self._results.reader.record(run, evaluation)
                assert record is not None, "its values were read from it"
                self.records[name] = {"protocol": record.evaluation, "details": _plain(record.details)}
            except (StoreError, OSError) as error:
                self.records[name] = {"protocol": {}, "details": {"unreadable": str(error)}}
        return name


def _judgement(report: ExhibitReport, cell: ReportCell) -> dict[str, Any]:
    judgement = cell.judgement
    found: dict[str, Any] = {}
    difference, tolerance = report.digits.difference(judgement, cell.metric)
    if difference:
        found["difference"] = difference.replace("-", MINUS)
    if tolerance:
        found["tolerance"] = tolerance
    if judgement.parts:
        found["parts"] = list(judgement.parts)
    if judgement.reason:
        found["reason"] = judgement.reason
    return found


def _statistics(metric: Metric, cell: ReportCell) -> dict[str, Any]:
    statistics = cell.statistics
    if statistics is None:
        return {}
    found: dict[str, Any] = {"test": statistics.test}
    if statistics.interval is not None:
        found["interval"] = f"{interval(*statistics.interval, metric.decimals)} ({statistics.interval_is})"
    if statistics.prediction is not None:
        found["prediction"] = interval(*statistics.prediction, metric.decimals)
    if statistics.p_value is not None:
        found["p"] = p_value(statistics.p_value)
    return found


def _plain(value: Any) -> Any:
    """Return a record's details with NaN and infinities as strings."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return json_number(value) if isinstance(value, float) else value
