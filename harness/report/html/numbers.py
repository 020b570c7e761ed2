"""Numbers that stand under each other at their decimal points, with the means of a style sheet."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.registry.metrics import Metric
from harness.registry.row import Reported
from harness.report.results.cells import Configured, Measured

WIDEST = 12
"""The style sheet has classes up to this many digits."""


@dataclass(frozen=True)
class Number:
    """A text; `spread` is the standard deviation behind it, measured or printed.

    `pad` and `width` are in digits (see `Column`). `words` marks what is no number and is not aligned as one.
    """

    text: str
    spread: str = ""
    pad: int = 0
    width: int = 0
    words: bool = False


@dataclass(frozen=True)
class Column:
    """What the numbers of a column have in common: the longest fraction and the widest spread, in characters."""

    fraction: int
    width: int

    @classmethod
    def of(cls, texts: Iterable[str], spreads: Iterable[str]) -> "Column":
        """Return what holds all of these."""
        fraction = max(map(_fraction, texts), default=0)
        width = max(map(len, spreads), default=0)
        return cls(fraction, min(width + 2, WIDEST) if width else 0)

    def number(self, text: str, spread: str = "") -> Number:
        """Return a number, padded so that its decimal point lies where the others' do."""
        return Number(text, spread, min(self.fraction - _fraction(text), WIDEST), self.width)


def printed(metric: Metric, value: Reported) -> str:
    """Return what a paper prints, without its standard deviation."""
    return metric.reported(value)


def spread(metric: Metric, value: Measured) -> str:
    """Return a standard deviation as it stands behind a mean; nothing for one seed and for exact values."""
    return "" if value.sd is None or metric.noise == "none" else metric.measured(value.sd)


def distance(metric: Metric, value: float) -> str:
    """Return a tolerance, with one decimal more than the metric has: what lies beyond it has to show."""
    return f"{value:.{metric.decimals + 1}f}"


def signed(metric: Metric, value: float) -> str:
    """Return a difference with its sign, with the decimals of a tolerance."""
    return f"{'−' if value < 0 else '+'}{distance(metric, abs(value))}"


def ours(metric: Metric, value: Measured | Configured) -> str:
    """Return what was measured or configured, without its spread."""
    return value.value if isinstance(value, Configured) else metric.measured(value.mean)


def _fraction(text: str) -> int:
    """Return how many characters a number has from its point on."""
    whole, point, digits = text.partition(".")
    return len(point + digits) if whole.lstrip("-−+").isdigit() else 0
