"""Numbers aligned at their decimal points by classes of the style sheet."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.report.writers.table_cells import TableCell

MINUS = "−"
"""The minus sign of differences."""
WIDEST = 12
"""The style sheet has classes up to this many digits."""


@dataclass(frozen=True)
class Number:
    """A formatted value; `spread` is its standard deviation, measured or printed.

    `pad` and `width` are in digits (see `Alignment`). `style` is `n` for a number that is aligned.
    """

    text: str
    spread: str = ""
    pad: int = 0
    width: int = 0
    style: str = ""


@dataclass(frozen=True)
class Alignment:
    """The alignment of a column: its longest fraction and its widest spread, in characters."""

    fraction: int
    width: int

    @classmethod
    def of(cls, numbers: Iterable[TableCell], spreads: Iterable[TableCell]) -> "Alignment":
        """Return the alignment that fits the numbers of some cells and the spreads of others."""
        width = max((len(cell.sd) for cell in spreads), default=0)
        return cls(max((_fraction(cell.text) for cell in numbers), default=0), min(width + 2, WIDEST) if width else 0)

    def number(self, text: str, spread: str = "") -> Number:
        """Return a number, padded so that its decimal point lines up with the others."""
        return Number(text, spread, min(self.fraction - _fraction(text), WIDEST), self.width, style="n")


def _fraction(text: str) -> int:
    """Return the number of characters from the decimal point on."""
    whole, point, digits = text.partition(".")
    return len(point + digits) if whole.lstrip("-−+").isdigit() else 0
