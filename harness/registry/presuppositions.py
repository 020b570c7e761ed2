"""What a claim presupposes of the runs behind it, such as a training that has levelled off.

A smaller scale may lack it: its trainings may be too short, its classifiers too weak, its networks of other
proportions. Reports check presuppositions on the measured runs; where one is not met, the claim is beyond the scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite

from harness.config.arguments import checked_arguments
from harness.errors import SpecError, given, invalid
from harness.registry.metrics import Metric

TENTHS = tuple(tenths / 10 for tenths in range(1, 10))
"""The shares of a training after which its weights are kept."""


@checked_arguments
@dataclass(frozen=True)
class LevelledOff:
    """A metric of a row changes by at most `within` from the share `since` of the training to its end.

    `within` is in units of the metric, or a fraction of the value at `since` if the metric's noise is relative. The
    metric is taken from evaluations after `since` and at the end or, without them, from the curve of the validation at
    the nearest epoch. If it has neither, the training curve of a `loss` stands in for it, and changes by at most the
    fraction `loss_within`. Raises `SpecError` for values out of range.
    """

    row: str
    metric: Metric
    within: float
    since: float = 0.7
    loss: str = ""
    loss_within: float = 0.1

    def __post_init__(self) -> None:
        _check_cell("levelled_off", self.row, self.metric)
        for name, value in (("within", self.within), ("loss_within", self.loss_within)):
            if not (_is_number(value) and value > 0):
                raise invalid(f"levelled_off of {given(self.row)}", name, value, "numbers above 0")
        if self.since not in TENTHS:
            raise invalid(f"levelled_off of {given(self.row)}", "since", self.since, "tenths from 0.1 to 0.9")
        if not isinstance(self.loss, str):
            raise invalid(f"levelled_off of {given(self.row)}", "loss", self.loss, "the name of a loss in quotes")

    @property
    def rows(self) -> tuple[str, ...]:
        """The row."""
        return (self.row,)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metric."""
        return (self.metric,)


@checked_arguments
@dataclass(frozen=True)
class InRange:
    """A metric of some rows lies between `low` and `high`. Raises `SpecError` without a row or a bound."""

    metric: Metric
    rows: tuple[str, ...]
    low: float = -inf
    high: float = inf

    def __post_init__(self) -> None:
        for row in self.rows:
            _check_cell("at_least or at_most", row, self.metric)
        if not self.rows:
            raise SpecError("at_least and at_most need a row or more")
        bounds = [bound for bound in (self.low, self.high) if bound not in (-inf, inf)]
        if not bounds or not all(map(_is_number, bounds)) or self.low > self.high:
            raise invalid(f"range of {self.metric.key}", "bounds", (self.low, self.high), "a finite number or two")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metric."""
        return (self.metric,)


@checked_arguments
@dataclass(frozen=True)
class ComparableOperations:
    """The operations of two trainings have nearly the ratio that they have at paper scale, up to a `factor`.

    Raises `SpecError` for a factor that is not above 1.
    """

    row: str
    other: str
    factor: float = 2.0

    def __post_init__(self) -> None:
        for row in self.rows:
            if not isinstance(row, str):
                raise invalid("comparable_operations", "row", row, "the key of a row in quotes")
        if not (_is_number(self.factor) and self.factor > 1):
            raise invalid("comparable_operations", "factor", self.factor, "numbers above 1")

    @property
    def rows(self) -> tuple[str, ...]:
        """The two rows."""
        return self.row, self.other

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """No metrics: operations follow from the configurations of the runs."""
        return ()


Presupposition = LevelledOff | InRange | ComparableOperations
Needs = Presupposition | tuple[Presupposition, ...]
"""One presupposition or several."""


def levelled_off(
    row: str,
    metric: Metric,
    *,
    within: float | None = None,
    since: float = 0.7,
    loss: str = "",
    loss_within: float = 0.1,
) -> LevelledOff:
    """Presuppose that a metric changes by at most `within` over the last three tenths of a row's training.

    By default `within` is a tenth of the value; a metric with absolute noise needs a number in its unit.
    """
    _check_cell("levelled_off", row, metric)
    if within is None and metric.noise != "relative":
        raise SpecError(f"levelled_off of {given(row)}: {metric.key} needs within=, a number in its unit")
    return LevelledOff(row, metric, 0.1 if within is None else within, since, loss, loss_within)


def at_least(metric: Metric, floor: float, *rows: str) -> InRange:
    """Presuppose that a metric of some rows is `floor` or more, such as the accuracy of classifiers that classify."""
    return InRange(metric, rows, low=floor)


def at_most(metric: Metric, ceiling: float, *rows: str) -> InRange:
    """Presuppose that a metric of some rows is `ceiling` or less, such as an accuracy that leaves room for others."""
    return InRange(metric, rows, high=ceiling)


def comparable_operations(row: str, other: str, factor: float = 2.0) -> ComparableOperations:
    """Presuppose that the training of `row` takes as many times the operations of `other` as at paper scale.

    The two ratios of operations differ by at most the `factor`.
    """
    return ComparableOperations(row, other, factor)


def each(needs: Needs) -> tuple[Presupposition, ...]:
    """Return the presuppositions of a claim as a tuple.

    Raises `SpecError` for anything else.
    """
    found = needs if isinstance(needs, tuple) else (needs,)
    for need in found:
        if not isinstance(need, Presupposition):
            allowed = "levelled_off(...), at_least(...), at_most(...), comparable_operations(...), or a tuple of them"
            raise invalid("a claim", "needs", need, allowed)
    return found


def cells(needs: Needs) -> Iterator[tuple[str, Metric | None]]:
    """Yield the rows of the presuppositions of a claim, each with the metrics of which something is presupposed."""
    for need in each(needs):
        for row in need.rows:
            yield from ((row, metric) for metric in need.metrics or (None,))


def _check_cell(of: str, row: object, metric: object) -> None:
    if not isinstance(row, str):
        raise invalid(of, "row", row, "the key of a row in quotes")
    if not isinstance(metric, Metric):
        raise invalid(f"{of} of {given(row)}", "metric", metric, "a Metric, such as FID")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
