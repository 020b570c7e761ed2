"""Numbers in LaTeX: decimal ones are aligned by siunitx, others are set as text."""

from math import isfinite

from harness.report.latex.escape import tex


def in_cell(number: str) -> str | None:
    """Return a number that siunitx can align, or None for text, NaN, infinities and powers of ten."""
    try:
        value = float(number)
    except ValueError:
        return None
    if not isfinite(value) or "e" in number.lower():
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
    digits, _, power = number.lower().partition("e")
    if not power:
        return number
    return f"\\ensuremath{{{digits}\\times10^{{{int(power)}}}}}"


def table_format(numbers: list[str]) -> str:
    """Return the siunitx `table-format` of a column of aligned numbers."""
    parts = [number.lstrip("-").partition(".") for number in numbers]
    whole = max(len(part[0]) for part in parts)
    decimals = max(len(part[2]) for part in parts)
    sign = "-" if any(number.startswith("-") for number in numbers) else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
