"""The values printed bold: the best of the paper's own rows, as reported and as measured."""

from collections import defaultdict
from collections.abc import Callable
from math import isfinite

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.results.stand_ins import DataInUse, data_of

CellKey = tuple[str, str]
"""A row's key and a metric's key."""


def best_reported(report: ExhibitReport) -> frozenset[CellKey]:
    """Return the cells with the best reported value; rows on different datasets are not comparable."""
    return _best(report, _reported, lambda cell: ())


def best_measured(report: ExhibitReport) -> frozenset[CellKey]:
    """Return the cells with the best measured value among those of one label and feature space."""
    return _best(report, _measured, lambda cell: (cell.labels.get(PAPER_PROTOCOL, ""), *_spaces(cell)))


def _best(
    report: ExhibitReport,
    value: Callable[[ReportRow, ReportCell], float | None],
    measure: Callable[[ReportCell], tuple[str, ...]],
) -> frozenset[CellKey]:
    """Return the best cells of every metric, section, dataset and measure; none if all are equal."""
    candidates: dict[tuple[Metric, str, DataInUse, tuple[str, ...]], dict[CellKey, float]] = defaultdict(dict)
    for row in report.rows:
        if row.row.run is None:
            continue
        data = data_of(row.row.run, report.scale)
        for cell in row.cells:
            competes = cell.source == "own" and cell.metric in report.exhibit.best
            found = value(row, cell) if competes else None
            if found is not None:
                competition = (cell.metric, row.row.section, data, measure(cell))
                candidates[competition][row.row.key, cell.metric.key] = found
    chosen: set[CellKey] = set()
    for (metric, *_), values in candidates.items():
        winner = max(values.values()) if metric.better == "higher" else min(values.values())
        if len(set(values.values())) > 1:
            chosen |= {place for place, found in values.items() if found == winner}
    return frozenset(chosen)


def _spaces(cell: ReportCell) -> tuple[str, ...]:
    return cell.measured.spaces if isinstance(cell.measured, Measured) else ()


def _reported(row: ReportRow, cell: ReportCell) -> float | None:
    return cell.reported if isinstance(cell.reported, int | float) else None


def _measured(row: ReportRow, cell: ReportCell) -> float | None:
    """Return the mean rounded as printed, so that equal printed values tie."""
    if not isinstance(cell.measured, Measured) or not isfinite(cell.measured.mean):
        return None
    return float(cell.metric.measured(cell.measured.mean))
