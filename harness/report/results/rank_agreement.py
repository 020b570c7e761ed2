"""Rank agreement: whether measured values put the rows in the paper's order. It is meaningful at every scale."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from math import factorial, isfinite, nan

import numpy as np

from harness.config.evaluations import Evaluation, measure_of
from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.row import Row
from harness.registry.scale import Scale
from harness.report.results.cells import Measured, ReportCell, ReportRow
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
    rows, NaN for fewer than `FEWEST_TESTED`. `among` is the dataset if the rows of the exhibit have several, else None;
    `measure` is the printed name of the measured values, such as `FD(digits)`. `group` names the rows among those of
    one dataset and measure that are measured in several ways: their section, or what differs. `ranked` has the rows in
    the order of the exhibit.
    """

    metric: Metric
    tau: float
    p_value: float
    measure: str
    among: DataInUse | None = None
    group: str = ""
    ranked: tuple[RankedRow, ...] = field(default=(), repr=False)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.ranked)

    @property
    def is_tested(self) -> bool:
        """Whether there is a p-value."""
        return isfinite(self.p_value)


def least_p_value(rows: int) -> float:
    """Return the smallest p-value that any order of some rows can have."""
    return 2 / factorial(rows)


@dataclass(frozen=True)
class _Way:
    """What rows have in common that are ranked together."""

    data: DataInUse | None
    measure: str
    settings: Evaluation | None
    spaces: tuple[str, ...]


_Ranked = dict[object, RankedRow]
"""The rows of a group, each value once."""


def settings_of(cell: ReportCell) -> Evaluation | None:
    """Return how a value is measured, whatever the state of training: only values of equal settings are comparable."""
    return cell.evaluation.but(after=1.0) if cell.evaluation else None


def rank_agreements(exhibit: Exhibit, rows: Sequence[ReportRow], scale: Scale) -> tuple[RankAgreement, ...]:
    """Return the agreement for each metric with three or more rows that have a reported and a measured number.

    Rows are compared within a common measure only: each dataset, each feature space and each way to evaluate has its
    own agreement, but all states of a training are ranked together. A row with the values of another row, reported and
    measured, counts once.
    """
    return tuple(found for metric in exhibit.metrics for found in _of_metric(exhibit, metric, rows, scale))


def _of_metric(exhibit: Exhibit, metric: Metric, rows: Iterable[ReportRow], scale: Scale) -> Iterator[RankAgreement]:
    groups: dict[_Way, _Ranked] = {}
    for row in rows:
        cell = next(cell for cell in row.cells if cell.metric == metric)
        reported = exhibit.reported_value(row.row, metric)
        if reported is None or not isinstance(cell.measured, Measured) or not isfinite(cell.measured.mean):
            continue
        data = data_of(row.row.run, scale) if row.row.run else None
        way = _Way(data, measure_of(cell.labels[PAPER_PROTOCOL]), settings_of(cell), cell.measured.spaces)
        groups.setdefault(way, {}).setdefault(
            (reported, cell.measured.runs, cell.measured.values), RankedRow(row.row, reported, cell.measured)
        )
    several = len({way.data for way in groups}) > 1
    names = _names(groups)
    for way, ranked in groups.items():
        if len(ranked) >= FEWEST:
            among = way.data if several else None
            yield replace(_agreement(metric, tuple(ranked.values()), way.measure), among=among, group=names[way])


def _names(groups: Mapping[_Way, _Ranked]) -> dict[_Way, str]:
    """Return a name for each group that shares its dataset and its measure with others; empty for all others."""
    names = dict.fromkeys(groups, "")
    for way in groups:
        alike = [other for other in groups if (other.data, other.measure) == (way.data, way.measure)]
        if len(alike) > 1:
            sections = [{ranked.row.section for ranked in groups[other].values()} for other in alike]
            own = sections[alike.index(way)]
            apart = all(len(one) == 1 for one in sections) and len(set.union(*sections)) == len(alike)
            names[way] = own.pop() if apart and all(own) else _what_differs(way, alike)
    return names


def _what_differs(way: _Way, alike: Sequence[_Way]) -> str:
    """Return the settings of a group that differ from those of others, and its feature spaces if these do."""
    written = [_written(other.settings) for other in alike]
    own = written[alike.index(way)]
    parts = [f"{key}={value}" for key, value in own.items() if len({one.get(key) for one in written}) > 1]
    if len({other.spaces for other in alike if other.settings == way.settings}) > 1:
        parts += [f"features {space[:8]}" for space in way.spaces]
    return ", ".join(parts)


def _written(settings: Evaluation | None) -> dict[str, str]:
    return {key: str(getattr(settings, key)) for key in type(settings).model_fields} if settings else {}


def _agreement(metric: Metric, ranked: tuple[RankedRow, ...], measure: str) -> RankAgreement:
    from scipy.stats import kendalltau  # slow to import

    reported, measured = [row.reported for row in ranked], [row.measured.mean for row in ranked]
    found = kendalltau(reported, measured)
    p_value = float(found.pvalue)
    if len(ranked) < FEWEST_TESTED:
        p_value = nan
    elif len(ranked) <= MOST_EXACT and isfinite(found.statistic):
        p_value = _exact_p_value(reported, measured)
    return RankAgreement(metric, float(found.statistic), p_value, measure, ranked=ranked)


def _exact_p_value(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the share of all orders of `other` that agree or disagree with `one` at least as much."""
    first, second = np.triu_indices(len(one), 1)
    concordant = np.sign(np.asarray(one)[first] - np.asarray(one)[second])
    orders = np.array(list(permutations(other)))
    scores = np.abs(np.sign(orders[:, first] - orders[:, second]) @ concordant)
    return float(np.mean(scores >= scores[0]))
