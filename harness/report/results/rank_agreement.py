"""Rank agreement: whether measured values put the rows in the paper's order. It is meaningful at every scale."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from harness.config.evaluations import measure_of
from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportRow

FEWEST = 3


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b between reported and measured values of `rows` rows: 1 is the same order, -1 the opposite.

    `p_value` is from the two-sided test of the hypothesis that the orders are independent. `among` is the dataset if
    the rows have several.
    """

    metric: Metric
    rows: int
    tau: float
    p_value: float
    among: str = ""


def rank_agreements(exhibit: Exhibit, rows: Sequence[ReportRow]) -> tuple[RankAgreement, ...]:
    """Return the agreement for each metric with three or more rows that have a reported and a measured number.

    Rows are compared within a common measure only: if the rows are on several datasets, each dataset has its own
    agreement.
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
        groups.setdefault((data, measure_of(cell.labels[PAPER_PROTOCOL])), []).append((reported, cell.measured.mean))
    several = len({data for data, _ in groups}) > 1
    for (data, _), pairs in groups.items():
        if len(pairs) >= FEWEST:
            yield _agreement(metric, pairs, data if several else "")


def _agreement(metric: Metric, pairs: Sequence[tuple[float, float]], among: str) -> RankAgreement:
    from scipy.stats import kendalltau  # slow to import

    reported, measured = zip(*pairs, strict=True)
    found = kendalltau(reported, measured)
    return RankAgreement(metric, len(pairs), float(found.statistic), float(found.pvalue), among)
