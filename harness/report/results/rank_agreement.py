"""Rank agreement: whether measured values put the rows in the paper's order. It is meaningful at every scale."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import isfinite, nan

import numpy as np

from harness.config.evaluations import measure_of
from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.row import Row
from harness.registry.scale import Scale
from harness.report.results.cells import Measured, ReportRow
from harness.report.results.stand_ins import DataInUse, data_of

FEWEST, FEWEST_TESTED = 3, 5
"""The rows for which there is an agreement, and a p-value: of four rows, no order has one below 0.08."""
MOST_EXACT = 8
"""The rows up to which the p-value is exact, over all orders. That of scipy is approximate if two values are equal."""


@dataclass(frozen=True)
class RankedRow:
    """A row with its reported value as a number and its measured value."""

    row: Row
    reported: float
    measured: Measured


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b between reported and measured values of some rows: 1 is the same order, -1 the opposite.

    `p_value` is from the two-sided test of the hypothesis that the orders are independent: exact for up to `MOST_EXACT`
    rows, NaN for fewer than `FEWEST_TESTED`. `among` is the dataset if
    the rows of the exhibit have several, else None; `measure` is the printed name of the measured values, such as
    `FD(digits)`. `ranked` has the rows in the order of the exhibit.
    """

    metric: Metric
    tau: float
    p_value: float
    measure: str
    among: DataInUse | None = None
    ranked: tuple[RankedRow, ...] = field(default=(), repr=False)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.ranked)


def rank_agreements(exhibit: Exhibit, rows: Sequence[ReportRow], scale: Scale) -> tuple[RankAgreement, ...]:
    """Return the agreement for each metric with three or more rows that have a reported and a measured number.

    Rows are compared within a common measure only: each dataset and each feature space has its own agreement. A row
    with the values of another row, reported and measured, counts once.
    """
    return tuple(found for metric in exhibit.metrics for found in _of_metric(exhibit, metric, rows, scale))


def _of_metric(exhibit: Exhibit, metric: Metric, rows: Iterable[ReportRow], scale: Scale) -> Iterator[RankAgreement]:
    groups: dict[tuple[DataInUse | None, str, tuple[str, ...]], dict[object, RankedRow]] = {}
    for row in rows:
        cell = next(cell for cell in row.cells if cell.metric == metric)
        reported = exhibit.reported_value(row.row, metric)
        if reported is None or not isinstance(cell.measured, Measured) or not isfinite(cell.measured.mean):
            continue
        data = data_of(row.row.run, scale) if row.row.run else None
        measure = measure_of(cell.labels[PAPER_PROTOCOL])
        group = groups.setdefault((data, measure, cell.measured.spaces), {})
        group.setdefault(
            (reported, cell.measured.runs, cell.measured.values), RankedRow(row.row, reported, cell.measured)
        )
    several = len({data for data, *_ in groups}) > 1
    for (data, measure, _), ranked in groups.items():
        if len(ranked) >= FEWEST:
            yield _agreement(metric, tuple(ranked.values()), measure, data if several else None)


def _agreement(metric: Metric, ranked: tuple[RankedRow, ...], measure: str, among: DataInUse | None) -> RankAgreement:
    from scipy.stats import kendalltau  # slow to import

    reported, measured = [row.reported for row in ranked], [row.measured.mean for row in ranked]
    found = kendalltau(reported, measured)
    p_value = float(found.pvalue)
    if len(ranked) < FEWEST_TESTED:
        p_value = nan
    elif len(ranked) <= MOST_EXACT and isfinite(found.statistic):
        p_value = _exact_p_value(reported, measured)
    return RankAgreement(metric, float(found.statistic), p_value, measure, among, ranked)


def _exact_p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the share of all orders of `other` that agree or disagree with `one` at least as much."""
    first, second = np.triu_indices(len(one), 1)
    concordant = np.sign(np.asarray(one)[first] - np.asarray(one)[second])
    orders = np.array(list(permutations(other)))
    scores = np.abs(np.sign(orders[:, first] - orders[:, second]) @ concordant)
    return float(np.mean(scores >= scores[0]))
