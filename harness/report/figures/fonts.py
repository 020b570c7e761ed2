"""Fonts in PDFs: embedded TrueType, as publishers want them, cut down to the glyphs of a picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fontTools import subset

PLACING = ("GDEF", "GPOS", "GSUB", "kern")
"""The tables by which text is laid out. In a PDF every glyph has its place already, and no reader looks at them."""


@contextmanager
def only_glyphs() -> Iterator[None]:
    """Embed fonts without the tables that place glyphs: to cut those down takes most of the time of writing a PDF."""
    load = subset.load_font

    def load_glyphs(*arguments: Any, **named: Any) -> Any:
        font = load(*arguments, **named)
        for table in PLACING:
            if table in font:
                del font[table]
        return font

    subset.load_font = load_glyphs
    try:
        yield
    finally:
        subset.load_font = load
