"""Small plots of contrasts: the interval, the claimed range and zero above an axis with numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, inf, log10

from harness.report.results.claims import ContrastResult

WIDTH, MARGIN = 200, 16
"""The width of a plot and of its margins, in units of the drawing."""
MOST_STEPS = 4
STEPS = (1, 2, 5, 10)
ROOM = 0.06
"""The share of the drawn range that is left free at either end."""


@dataclass(frozen=True)
class Tick:
    """A place on the axis with its number."""

    x: float
    text: str


@dataclass(frozen=True)
class IntervalPlot:
    """A contrast in units of its drawing: interval, estimate, claimed range, zero, and the ticks of the axis."""

    low: float
    high: float
    estimate: float
    claimed_low: float
    claimed_high: float
    zero: float
    ticks: tuple[Tick, ...]
    width: int = WIDTH


def interval_plot(result: ContrastResult) -> IntervalPlot:
    """Return the plot of a contrast; zero, the interval and the claim's finite bounds are in view."""
    low, high = result.interval
    bounds = [bound for bound in (result.contrast.low, result.contrast.high) if abs(bound) != inf]
    begin, end = min(low, 0.0, *bounds), max(high, 0.0, *bounds)
    room = (end - begin) * ROOM
    begin, end = begin - room, end + room

    def place(value: float) -> float:
        share = min(max((value - begin) / (end - begin), 0.0), 1.0)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 2)

    return IntervalPlot(
        low=place(low),
        high=place(high),
        estimate=place(result.estimate),
        claimed_low=place(result.contrast.low),
        claimed_high=place(result.contrast.high),
        zero=place(0.0),
        ticks=tuple(Tick(place(value), f"{value:z.6g}".replace("-", "−")) for value in _round_values(begin, end)),
    )


def _round_values(begin: float, end: float) -> Iterator[float]:
    """Yield the multiples of a round step in a range, zero among them; the step gives at most `MOST_STEPS` steps."""
    power = 10.0 ** floor(log10((end - begin) / MOST_STEPS))
    step = next(step * power for step in STEPS if (end - begin) / (step * power) <= MOST_STEPS)
    yield from (step * number for number in range(ceil(begin / step), floor(end / step) + 1))
