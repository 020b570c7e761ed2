"""Fonts in PDFs: embedded TrueType, as publishers require, subset to the glyphs of a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fontTools import subset

LAYOUT_TABLES = ("GDEF", "GPOS", "GSUB", "kern")
"""The layout tables of a font. A PDF stores the position of every glyph, so no reader uses them."""


@contextmanager
def only_glyphs() -> Iterator[None]:
    """Embed fonts without their layout tables: subsetting these takes most of the time of writing a PDF."""
    load = subset.load_font

    def load_glyphs(*arguments: Any, **named: Any) -> Any:
        font = load(*arguments, **named)
        for table in LAYOUT_TABLES:
            if table in font:
                del font[table]
        return font

    subset.load_font = load_glyphs
    try:
        yield
    finally:
        subset.load_font = load
