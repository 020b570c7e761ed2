"""Formats numbers: rounded by their spread between seeds, large ones as powers of ten."""

from math import isfinite

from harness.registry.metrics import Metric
from harness.report.latex.escape import tex
from harness.report.results.cells import Measured
from harness.report.writers.digits import decimals

LARGEST = 1e6
"""Larger numbers are printed as powers of ten."""
MAX_EXTRA_DECIMALS = 2
"""A small spread adds at most this many decimals to those of the metric; an even smaller one prints as zero."""


def mean_and_spread(value: Measured, metric: Metric) -> tuple[str, str]:
    """Return the mean and the standard deviation as decimal texts; the second is empty if there is none to print.

    The deviation has two significant digits if they are at most 35, else one (the rounding of the Particle Data
    Group). The mean has as many decimals.
    """
    spread = value.sd
    if spread is None or metric.noise == "none" or not isfinite(spread):
        return metric.measured(value.mean), ""
    found = decimals(spread, metric.decimals + MAX_EXTRA_DECIMALS)
    shown = metric.decimals if found is None else found
    return f"{value.mean:z.{shown}f}", f"{spread:.{shown}f}"


def in_cell(number: str) -> str | None:
    """Return a number that siunitx can align, or None for text, NaN, infinities and large numbers."""
    try:
        value = float(number)
    except ValueError:
        return None
    if not isfinite(value) or abs(value) >= LARGEST or "e" in number.lower():
        return None
    return number


def as_text(number: str) -> str:
    """Return LaTeX for text that siunitx does not align: powers of ten, NaN, infinities, words."""
    try:
        value = float(number)
    except ValueError:
        return tex(number)
    if not isfinite(value):
        return {"inf": "\\ensuremath{\\infty}", "-inf": "\\ensuremath{-\\infty}"}.get(number, "NaN")
    digits, _, power = f"{value:.1e}".partition("e")
    return f"\\ensuremath{{{digits}\\times10^{{{int(power)}}}}}"


def table_format(numbers: list[str]) -> str:
    """Return the siunitx `table-format` of a column of aligned numbers."""
    parts = [number.lstrip("-").partition(".") for number in numbers]
    whole = max(len(part[0]) for part in parts)
    decimals = max(len(part[2]) for part in parts)
    sign = "-" if any(number.startswith("-") for number in numbers) else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
