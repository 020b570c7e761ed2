"""The digits of numbers in text: as many as their uncertainty justifies, by one rule for every writer."""

from collections.abc import Iterable
from math import floor, isfinite, log10

MOST_EXTRA = 2
"""An uncertainty adds at most this many decimals to those of a metric; an even smaller one prints as zero."""
MOST_DECIMALS = 6
LARGEST, LARGEST_EXACT = 1e6, 1e15
"""Numbers of more decimals, or from this size on, are printed as powers of ten."""
SAME = 1e-9
"""Numbers that differ by less are equal but for floating-point rounding."""
SMALLEST_P = 0.001
"""Smaller p-values are not printed: no rank or t-test of a few seeds is that exact."""


def decimals(uncertainty: float | None, most: int) -> int | None:
    """Return the decimals of an uncertainty, at most `most`; None if it is unknown or they would show no digit of it.

    It has two significant digits if they are at most 35, else one: the rounding of the Particle Data Group.
    """
    if not uncertainty or not isfinite(uncertainty):
        return None
    digits, _, exponent = f"{abs(uncertainty):.1e}".partition("e")
    significant = 2 if float(digits) <= 3.5 else 1
    found = min(max(significant - 1 - int(exponent), 0), most)
    return found if round(abs(uncertainty), found) else None


def alone(value: float, usual: int) -> int:
    """Return the decimals of a value without uncertainty: the usual ones, or more to show two digits of a small one."""
    if not value or not isfinite(value) or abs(value) >= 10.0**-usual:
        return usual
    return 1 - floor(log10(abs(value)))


def justified(value: float, uncertainty: float | None, usual: int, least: int = 0) -> int:
    """Return the decimals of a value: those of its uncertainty, or those of the value alone if it has none to show.

    `usual` are the decimals of its metric, `least` those of a printed value beside it, from which readers subtract.
    """
    by_itself = alone(value, usual)
    found = decimals(uncertainty, by_itself + MOST_EXTRA)
    return max(by_itself if found is None else found, least)


def fixed(value: float, shown: int, largest: float = LARGEST) -> str:
    """Return a number with this many decimals, as a power of ten if it is too long, or the name of one not finite."""
    if not isfinite(value):
        return str(value).replace("nan", "NaN")
    return f"{value:z.1e}" if shown > MOST_DECIMALS or abs(value) >= largest else f"{value:z.{shown}f}"


def signed(number: str) -> str:
    """Return a number with its sign."""
    return number if number.startswith("-") else f"+{number}"


def interval(low: float, high: float, usual: int) -> str:
    """Return an interval with the decimals that its half-width justifies."""
    shown = justified((low + high) / 2, (high - low) / 2, usual)
    return f"{fixed(low, shown)} to {fixed(high, shown)}"


def told_apart(values: Iterable[float], bounds: Iterable[float], shown: int, most: int) -> int:
    """Return as many decimals, up to `most`, as keep values from being printed as a bound that they do not equal."""
    limits = [bound for bound in bounds if isfinite(bound)]
    pairs = [(value, bound) for value in values for bound in limits if abs(value - bound) > SAME]
    while shown < most and any(round(value, shown) == round(bound, shown) for value, bound in pairs):
        shown += 1
    return shown


def after_point(number: str) -> int:
    """Return the decimals of a printed number; 0 for one without a decimal point, or with an exponent."""
    digits = number.partition(".")[2]
    return len(digits) if digits.isdigit() else 0


def p_value(value: float) -> str:
    """Return a p-value with two digits, `< 0.001` if it is smaller."""
    if not isfinite(value):
        return "NaN"
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:#.2g}"
