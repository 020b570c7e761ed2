"""Rank agreement: whether the measured values put the rows in the paper's order. It means something at every scale."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from harness.config.evaluations import measure_of
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportRow

FEWEST = 3


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b between reported and measured values of so many rows: 1 the same order, -1 the opposite one.

    `p_value` is that of the two-sided test that the orders have nothing to do with each other. `among` names the
    section where the agreement is within one.
    """

    metric: Metric
    rows: int
    tau: float
    p_value: float
    among: str = ""


def rank_agreements(exhibit: Exhibit, rows: Sequence[ReportRow]) -> tuple[RankAgreement, ...]:
    """Return the agreement for each metric with three rows or more that have a number on both sides.

    Rows are compared within what has a common measure: where the paper's sections stand for several datasets, each
    has an agreement of its own.
    """
    return tuple(found for metric in exhibit.metrics for found in _of_metric(exhibit, metric, rows))


def _of_metric(exhibit: Exhibit, metric: Metric, rows: Iterable[ReportRow]) -> Iterator[RankAgreement]:
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows:
        cell = next(cell for cell in row.cells if cell.metric == metric)
        reported = exhibit.reported_value(row.row, metric)
        if reported is None or not isinstance(cell.measured, Measured) or not isfinite(cell.measured.mean):
            continue
        data = row.row.run.config.data.name if row.row.run else ""
        groups.setdefault((data, measure_of(cell.labels[""])), []).append((reported, cell.measured.mean))
    several = len({data for data, _ in groups}) > 1
    for (data, _), pairs in groups.items():
        if len(pairs) >= FEWEST:
            yield _agreement(metric, pairs, data if several else "")


def _agreement(metric: Metric, pairs: Sequence[tuple[float, float]], among: str) -> RankAgreement:
    from scipy.stats import kendalltau  # it takes its time

    reported, measured = zip(*pairs, strict=True)
    found = kendalltau(reported, measured)
    return RankAgreement(metric, len(pairs), float(found.statistic), float(found.pvalue), among)
