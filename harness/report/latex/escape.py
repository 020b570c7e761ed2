"""Escapes any text to LaTeX that compiles with amssymb in every font encoding and reads as written."""

import re
import unicodedata
from functools import cache

from pylatexenc.latexencode import UnicodeToLatexEncoder

LONGEST_WORD = 24
"""A longer run of characters without a space may be broken anywhere."""

OWN = {
    "_": "{\\ttfamily\\char95}", "^": "{\\ttfamily\\char94}", "~": "{\\ttfamily\\char126}", '"': "{\\ttfamily\\char34}",
    "|": "\\textbar{}", "`": "\\textquoteleft{}", "«": "\\ensuremath{\\ll}",
    "»": "\\ensuremath{\\gg}", "‑": "-", "§": "\\ensuremath{\\mathsection}", "¶": "\\ensuremath{\\mathparagraph}",
    "†": "\\ensuremath{\\dagger}", "‡": "\\ensuremath{\\ddagger}", "·": "\\ensuremath{\\cdot}",
    "•": "\\ensuremath{\\bullet}", "°": "\\ensuremath{^{\\circ}}", "µ": "\\ensuremath{\\mu}",
    "×": "\\ensuremath{\\times}", "÷": "\\ensuremath{\\div}", "¬": "\\ensuremath{\\lnot}",
    "²": "\\ensuremath{^{2}}", "³": "\\ensuremath{^{3}}", "¹": "\\ensuremath{^{1}}",
    "¼": "\\ensuremath{\\frac14}", "½": "\\ensuremath{\\frac12}", "¾": "\\ensuremath{\\frac34}",
    "←": "\\ensuremath{\\leftarrow}", "↑": "\\ensuremath{\\uparrow}", "→": "\\ensuremath{\\rightarrow}",
    "↓": "\\ensuremath{\\downarrow}", "$": "\\ensuremath{\\mathdollar}", "£": "\\ensuremath{\\mathsterling}",
    "¥": "\\ensuremath{\\yen}", "€": "EUR",
    "…": "\\ldots{}", "−": "\\ensuremath{-}", "\u00a0": "~", "\u2009": "\\,", "\u202f": "\\,",
}  # fmt: skip
"""Characters that common encodings lack or print differently, or that many installations have as bitmaps only."""

WRITABLE = (range(0x20, 0x7F), range(0xA1, 0x180), range(0x391, 0x3C9), range(0x2010, 0x2027), range(0x2200, 0x22F0))
UNWRITABLE = frozenset("¢¤¦¨©ª®¯´¸º¼½¾ÐÞðþĄąĐđĘęĮįŉŊŋŲų‚„‽※⁄∟∬∭∯∰∱∻∾≆≋≌≙≛≸≹⊧⊨⊫⊶⊷⊹⊾⋘⋙⋨")
"""Characters for which pylatexenc uses other packages; all other characters of WRITABLE compile."""

LIGATURES = re.compile(r"-(?=-)|,(?=,)|[?!](?=\\textquoteleft)|\\textquoteleft\{\}")
NEGATIVE = re.compile(r"(?<=^)-(?=\d)|(?<=^\()-(?=\d)")
_encoder = UnicodeToLatexEncoder(unknown_char_policy="fail", unknown_char_warning=False)


def tex(value: str) -> str:
    """Return one line of text as LaTeX; an unwritable character becomes its code point, such as [U+65E5]."""
    words = unicodedata.normalize("NFC", value).split()
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    word = NEGATIVE.sub("−", word)
    joint = "\\allowbreak{}" if len(word) > LONGEST_WORD else ""
    return LIGATURES.sub("\\g<0>{}", joint.join(map(character, word)))


@cache
def character(sign: str) -> str:
    """Return one character as LaTeX."""
    if sign in OWN:
        return OWN[sign]
    if sign not in UNWRITABLE and any(ord(sign) in block for block in WRITABLE):
        try:
            return str(_encoder.unicode_to_latex(sign))
        except ValueError:
            pass
    return f"[U+{ord(sign):04X}]"
