"""The digits of a value with an uncertainty: as many as the uncertainty justifies."""

from math import floor, isfinite, log10


def decimals(uncertainty: float, most: int) -> int | None:
    """Return the decimals of an uncertainty and of its value, at most `most`; None if they would show no digit of it.

    The uncertainty has two significant digits if they are at most 35, else one (the rounding of the Particle Data
    Group).
    """
    if not uncertainty or not isfinite(uncertainty):
        return None
    power = floor(log10(uncertainty))
    digits = 2 if uncertainty / 10**power <= 3.5 else 1
    found = min(max(digits - 1 - power, 0), most)
    return found if round(uncertainty, found) else None
