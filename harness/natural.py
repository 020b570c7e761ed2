"""Natural numbers from text that others wrote."""

MOST_DIGITS = 18
"""The digits that always fit into 64 bits; Python itself refuses to read thousands of them."""


def natural(text: str) -> int | None:
    """Return the number that 1 to 18 ASCII digits spell, None for any other text, such as `²` or an empty one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
