"""The display forms of measured values: rounded by their spread between seeds, with equal decimals in a column."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from harness.registry.digits import (
    LARGEST,
    LARGEST_EXACT,
    MOST_DECIMALS,
    MOST_EXTRA,
    after_point,
    alone,
    decimals,
    fixed,
    justified,
    signed,
    told_apart,
)
from harness.registry.metrics import Metric
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.verdicts import Judgement


@dataclass(frozen=True)
class DisplayForm:
    """A value as every writer prints it: the mean and the standard deviation, which is empty if there is none."""

    mean: str
    sd: str = ""

    def __str__(self) -> str:
        return f"{self.mean} ± {self.sd}" if self.sd else self.mean


def display_form(mean: float, sd: float | None, metric: Metric, shown: int) -> DisplayForm:
    """Return the display form of a value whose column has `shown` decimals; its deviation has its own."""
    spread = _spread(sd, metric)
    if not isfinite(mean):
        return DisplayForm(fixed(mean, shown))
    if needed(mean, sd, metric) is None:
        return DisplayForm(f"{mean:.1e}", "" if spread is None else f"{spread:.1e}")
    of_spread = decimals(spread, alone(mean, metric.decimals) + MOST_EXTRA)
    text = "" if spread is None else fixed(spread, metric.decimals if of_spread is None else of_spread)
    return DisplayForm(fixed(mean, shown, _largest(metric)), text)


def needed(mean: float, sd: float | None, metric: Metric, least: int = 0) -> int | None:
    """Return the decimals that a value needs, `least` at least; None if it is printed as a power of ten or by name."""
    if not isfinite(mean) or abs(mean) >= _largest(metric):
        return None
    found = justified(mean, _spread(sd, metric), metric.decimals)
    return None if found > MOST_DECIMALS else max(found, least)


class ColumnDigits:
    """The decimals of an exhibit's metrics: the most that one of the metric's values needs.

    A value needs as many as its standard deviation has, and no fewer than the paper prints in its cell.
    """

    def __init__(self, rows: Iterable[ReportRow]) -> None:
        self._decimals: dict[Metric, int] = {}
        for cell in (cell for row in rows for cell in (*row.cells, *row.secondary)):
            values = [value for value in (cell.measured, *cell.readings.values()) if isinstance(value, Measured)]
            for value in values:
                found = needed(value.mean, value.sd, cell.metric, _printed(cell))
                if found is not None:
                    self._decimals[cell.metric] = max(found, self._decimals.get(cell.metric, 0))

    def of(self, metric: Metric) -> int:
        """Return the decimals of a metric's values."""
        return self._decimals.get(metric, metric.decimals)

    def form(self, value: Measured, metric: Metric) -> DisplayForm:
        """Return the display form of a value."""
        return display_form(value.mean, value.sd, metric, self.of(metric))

    def difference(self, judgement: Judgement, metric: Metric) -> tuple[str, str]:
        """Return the difference of a judged cell with its sign, and the tolerance; each is empty if there is none.

        They have the decimals of the column, and more if a difference beyond the tolerance would be printed like it.
        """
        difference, tolerance = judgement.difference, judgement.tolerance
        if difference is None:
            return "", ""
        usual = self.of(metric)
        bounds = [] if tolerance is None else [tolerance]
        shown = told_apart([abs(difference)], bounds, usual, usual + MOST_EXTRA)
        return signed(fixed(difference, shown)), "" if tolerance is None else fixed(tolerance, shown)

    def number(self, value: float, metric: Metric) -> str:
        """Return a value that is not in a cell, such as that of one seed, with the decimals of the column."""
        found = self._decimals.get(metric)
        return metric.measured(value) if found is None else fixed(value, found, _largest(metric))


def _printed(cell: ReportCell) -> int:
    """Return the decimals that the paper prints in a cell; 0 if it prints no number."""
    return after_point(cell.metric.reported(cell.reported)) if isinstance(cell.reported, int | float) else 0


def _spread(sd: float | None, metric: Metric) -> float | None:
    """Return the standard deviation, None if there is none to print."""
    return None if metric.noise == "none" or sd is None or not isfinite(sd) else sd


def _largest(metric: Metric) -> float:
    return LARGEST_EXACT if metric.noise == "none" else LARGEST
