"""Claims as code: the paper's statements about its rows, as inequalities over measured cells.

Every claim is a conjunction of contrasts, and every contrast is a weighted sum of cells that must lie in an
interval. "B is larger than A" is `B - A > 0`; "B takes twice as long as A" is `B - 1.5 A > 0` and `B - 2.5 A < 0`;
"the gap closes" is a contrast of four cells. Because a contrast is linear, the noise of its cells propagates
exactly, and the report can distinguish "holds" from "not decided by these data".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from harness.errors import SpecError, given, invalid
from harness.registry.metrics import Metric
from harness.registry.presuppositions import Needs, Presupposition, each


@dataclass(frozen=True)
class Term:
    """A cell of a table, by row key and metric, with its weight in a contrast."""

    weight: float
    row: str
    metric: Metric


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of cells and the interval claimed for it."""

    terms: tuple[Term, ...]
    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper, its location, the contrasts that decide it, and what it presupposes of the runs.

    `abstract` is whether the paper's abstract makes the claim, in these or more general words. Raises `SpecError`
    without a contrast.
    """

    says: str
    where: str
    contrasts: tuple[Contrast, ...]
    needs: Needs = ()
    abstract: bool = False

    def __post_init__(self) -> None:
        if not self.contrasts:
            raise SpecError(f"claim {given(self.says)} compares nothing: name two rows or more, or give a bound")
        each(self.needs)

    @property
    def rows(self) -> frozenset[str]:
        """The rows that it compares, and those of which it presupposes something."""
        presupposed = (row for need in self.presuppositions for row in need.rows)
        return frozenset((*(term.row for term in self.terms()), *presupposed))

    @property
    def presuppositions(self) -> tuple[Presupposition, ...]:
        """What the claim presupposes of the runs behind it."""
        return each(self.needs)

    def terms(self) -> Iterator[Term]:
        """Yield every cell that the claim depends on."""
        for contrast in self.contrasts:
            yield from contrast.terms


def in_abstract(claim: Claim) -> Claim:
    """Return a claim as one of the paper's abstract: reports show these first."""
    return replace(claim, abstract=True)


def rises(metric: Metric, *rows: str, says: str, where: str, needs: Needs = ()) -> Claim:
    """Claim that `metric` strictly increases from each row to the next.

    Raises `SpecError` for fewer than two rows, as do `falls` and `improves`.
    """
    return Claim(says, where, tuple(Contrast(_difference(metric, a, b), low=0) for a, b in _chain(rows)), needs)


def falls(metric: Metric, *rows: str, says: str, where: str, needs: Needs = ()) -> Claim:
    """Claim that `metric` strictly decreases from each row to the next."""
    return Claim(says, where, tuple(Contrast(_difference(metric, a, b), high=0) for a, b in _chain(rows)), needs)


def exceed(metric: Metric, *rows: str, over: str, says: str, where: str, needs: Needs = ()) -> Claim:
    """Claim that `metric` of each of some rows exceeds that of row `over`."""
    return Claim(says, where, tuple(Contrast(_difference(metric, over, row), low=0) for row in rows), needs)


def improves(*rows: str, metrics: tuple[Metric, ...], says: str, where: str, needs: Needs = ()) -> Claim:
    """Claim that all `metrics` improve from each row to the next, each in its own direction.

    Raises `SpecError` for a metric without a direction.
    """
    for metric in metrics:
        if metric.better == "neither":
            raise invalid(f"improvement of metric '{metric.key}'", "better", metric.better, "'higher' or 'lower'")
    parts = [(rises if m.better == "higher" else falls)(m, *rows, says=says, where=where) for m in metrics]
    return Claim(says, where, tuple(contrast for part in parts for contrast in part.contrasts), needs)


def close(metric: Metric, *rows: str, within: float, says: str, where: str, needs: Needs = ()) -> Claim:
    """Claim that every row is `within` this many units of the first, above or below it.

    For a row that retains a value, or has a comparable one, see `drops_at_most` and `rises_at_most`.
    """
    first, *others = rows
    contrasts = (Contrast(_difference(metric, first, row), low=-within, high=within) for row in others)
    return Claim(says, where, tuple(contrasts), needs)


def drops_at_most(
    metric: Metric, start: str, end: str, by: float, *, says: str, where: str, needs: Needs = ()
) -> Claim:
    """Claim that a higher-is-better metric drops by at most `by` units from `start` to `end`."""
    return Claim(says, where, (Contrast(_difference(metric, start, end), low=-by),), needs)


def rises_at_most(
    metric: Metric, start: str, end: str, by: float, *, says: str, where: str, needs: Needs = ()
) -> Claim:
    """Claim that a lower-is-better metric rises by at most `by` units from `start` to `end`."""
    return Claim(says, where, (Contrast(_difference(metric, start, end), high=by),), needs)


def bounded(
    metric: Metric, row: str, *, low: float = -inf, high: float = inf, says: str, where: str, needs: Needs = ()
) -> Claim:
    """Claim that `metric` of a row lies between `low` and `high`."""
    return Claim(says, where, (Contrast((Term(1.0, row, metric),), low, high),), needs)


def mean_difference(metrics: Sequence[Metric], row: str, other: str, weight: float = 1.0) -> tuple[Term, ...]:
    """Return the terms of `weight` times the difference `row` minus `other`, averaged over some metrics."""
    share = weight / len(metrics)
    return tuple(term for m in metrics for term in (Term(share, row, m), Term(-share, other, m)))


def gap_closes(
    metric: Metric, first: tuple[str, str], last: tuple[str, str], *, says: str, where: str, needs: Needs = ()
) -> Claim:
    """Claim that the difference between two rows is smaller in the `last` pair than in the `first`."""
    (a, b), (c, d) = first, last
    terms = (Term(1.0, a, metric), Term(-1.0, b, metric), Term(-1.0, c, metric), Term(1.0, d, metric))
    return Claim(says, where, (Contrast(terms, low=0),), needs)


def ratio(
    metric: Metric,
    above: str,
    below: str,
    *,
    low: float = -inf,
    high: float = inf,
    says: str,
    where: str,
    needs: Needs = (),
) -> Claim:
    """Claim that `above` is between `low` and `high` times `below`, for a metric that is never negative."""
    bounds = ((low, {"low": 0.0}), (high, {"high": 0.0}))
    contrasts = (
        Contrast((Term(1.0, above, metric), Term(-factor, below, metric)), **side)
        for factor, side in bounds
        if abs(factor) != inf
    )
    return Claim(says, where, tuple(contrasts), needs)


def _difference(metric: Metric, start: str, end: str) -> tuple[Term, Term]:
    return Term(-1.0, start, metric), Term(1.0, end, metric)


def _chain(rows: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if len(rows) < 2:
        raise SpecError(f"an ordering claim needs at least two rows, not {rows}")
    return pairwise(rows)
