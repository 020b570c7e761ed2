"""The values printed bold: the best of the paper's own rows, as reported and as measured."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import isfinite

from harness.config.evaluations import Evaluation
from harness.registry.claims import Claim, Contrast, Term
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.claims import ClaimStatus, decide
from harness.report.results.rank_agreement import settings_of
from harness.report.results.report import ExhibitReport
from harness.report.results.stand_ins import DataInUse, data_of
from harness.report.results.statistics import CONFIDENCE

CellKey = tuple[str, str]
"""A row's key and a metric's key."""
Measure = tuple[Evaluation | None, tuple[str, ...]]
"""How a value is measured, and in which feature spaces: only values of equal measures compete."""


@dataclass(frozen=True)
class BestMeasured:
    """The cells with the best measured values: of each competition, the best mean and all means not decided from it.

    `tested` and `untested` count the competitions that were decided by intervals, and those without known noise, in
    which the best mean alone is chosen.
    """

    cells: frozenset[CellKey] = frozenset()
    tested: int = 0
    untested: int = 0


def best_reported(report: ExhibitReport) -> frozenset[CellKey]:
    """Return the cells with the best reported value; rows on different datasets are not comparable."""
    chosen: set[CellKey] = set()
    for metric, values in _competitions(report, _reported, lambda cell: (None, ())):
        best = _best_of(values, metric)
        chosen |= {(row, metric.key) for row, found in values.items() if found == best}
    return frozenset(chosen)


def best_measured(report: ExhibitReport) -> BestMeasured:
    """Return the cells with the best measured value among those of one measure, and those not decided from it.

    A difference is decided as a claim is, with the same noise: if it is beyond zero by the interval at 1 - 0.05/k, for
    k rows beside the best.
    """
    chosen: set[CellKey] = set()
    tested = untested = 0
    for metric, values in _competitions(report, _measured, _measure):
        equal = _not_decided(report, metric, values)
        tested, untested = tested + (equal is not None), untested + (equal is None)
        rows = _equal_as_printed(report, metric, values) if equal is None else equal
        chosen |= {(row, metric.key) for row in rows}
    return BestMeasured(frozenset(chosen), tested, untested)


def _competitions(
    report: ExhibitReport,
    value: Callable[[ReportRow, ReportCell], float | None],
    measure: Callable[[ReportCell], Measure],
) -> Iterator[tuple[Metric, Mapping[str, float]]]:
    """Yield the values of every metric, section, dataset and measure by the key of their row, if they differ."""
    candidates: dict[tuple[Metric, str, DataInUse, Measure], dict[str, float]] = defaultdict(dict)
    for row in report.rows:
        if row.row.run is None:
            continue
        data = data_of(row.row.run, report.scale)
        for cell in row.cells:
            competes = cell.source == "own" and cell.metric in report.exhibit.best
            found = value(row, cell) if competes else None
            if found is not None:
                candidates[cell.metric, row.row.section, data, measure(cell)][row.row.key] = found
    for (metric, *_), values in candidates.items():
        if len(set(values.values())) > 1:
            yield metric, values


def _best_of(values: Mapping[str, float], metric: Metric) -> float:
    return max(values.values()) if metric.better == "higher" else min(values.values())


def _not_decided(report: ExhibitReport, metric: Metric, values: Mapping[str, float]) -> list[str] | None:
    """Return the row with the best value, and the rows whose difference from it is not decided; None without a test."""
    best = next(row for row, found in values.items() if found == _best_of(values, metric))
    others = [row for row in values if row != best]
    better = partial(Contrast, low=0.0) if metric.better == "higher" else partial(Contrast, high=0.0)
    contrasts = tuple(better((Term(1.0, best, metric), Term(-1.0, row, metric))) for row in others)
    claim = Claim(f"{best} is the best in {metric.label}", "", contrasts)
    found = decide(claim, report.exhibit, report.series, report.scale, 1 - (1 - CONFIDENCE) / len(others))
    if not found.contrasts:
        return None
    statuses = [contrast.status for contrast in found.contrasts]
    return [best, *(row for row, status in zip(others, statuses, strict=True) if status is not ClaimStatus.HOLDS)]


def _equal_as_printed(report: ExhibitReport, metric: Metric, values: Mapping[str, float]) -> list[str]:
    """Return the rows whose value is printed like the best; none if all are."""
    printed = {row: report.digits.number(found, metric) for row, found in values.items()}
    best = report.digits.number(_best_of(values, metric), metric)
    return [row for row, text in printed.items() if text == best] if len(set(printed.values())) > 1 else []


def _measure(cell: ReportCell) -> Measure:
    return settings_of(cell), cell.measured.spaces if isinstance(cell.measured, Measured) else ()


def _reported(row: ReportRow, cell: ReportCell) -> float | None:
    return cell.reported if isinstance(cell.reported, int | float) else None


def _measured(row: ReportRow, cell: ReportCell) -> float | None:
    return cell.measured.mean if isinstance(cell.measured, Measured) and isfinite(cell.measured.mean) else None
