"""Numbers aligned at their decimal points by classes of the style sheet."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.registry.metrics import Metric
from harness.registry.row import Reported
from harness.report.results.cells import Configured, Measured

WIDEST = 12
"""The style sheet has classes up to this many digits."""


@dataclass(frozen=True)
class Number:
    """A formatted value; `spread` is its standard deviation, measured or printed.

    `pad` and `width` are in digits (see `Column`). `words` marks text that is not a number and is not aligned.
    """

    text: str
    spread: str = ""
    pad: int = 0
    width: int = 0
    words: bool = False


@dataclass(frozen=True)
class Column:
    """The alignment of a column: its longest fraction and its widest spread, in characters."""

    fraction: int
    width: int

    @classmethod
    def of(cls, texts: Iterable[str], spreads: Iterable[str]) -> "Column":
        """Return the alignment that fits all of these."""
        fraction = max(map(_fraction, texts), default=0)
        width = max(map(len, spreads), default=0)
        return cls(fraction, min(width + 2, WIDEST) if width else 0)

    def number(self, text: str, spread: str = "") -> Number:
        """Return a number, padded so that its decimal point lines up with the others."""
        return Number(text, spread, min(self.fraction - _fraction(text), WIDEST), self.width)


def printed(metric: Metric, value: Reported) -> str:
    """Return a reported value as printed, without its standard deviation."""
    return metric.reported(value)


def spread(metric: Metric, value: Measured) -> str:
    """Return a standard deviation as text; empty for one seed and for exact values."""
    return "" if value.sd is None or metric.noise == "none" else metric.measured(value.sd)


def distance(metric: Metric, value: float) -> str:
    """Format a tolerance with one decimal more than the metric, so that a narrow FAIL is visible as such."""
    return f"{value:.{metric.decimals + 1}f}"


def signed(metric: Metric, value: float) -> str:
    """Format a difference with its sign and the decimals of a tolerance."""
    return f"{'−' if value < 0 else '+'}{distance(metric, abs(value))}"


def ours(metric: Metric, value: Measured | Configured) -> str:
    """Return a measured or configured value as text, without its spread."""
    return value.value if isinstance(value, Configured) else metric.measured(value.mean)


def _fraction(text: str) -> int:
    """Return the number of characters from the decimal point on."""
    whole, point, digits = text.partition(".")
    return len(point + digits) if whole.lstrip("-−+").isdigit() else 0
