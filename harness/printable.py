"""Makes untrusted text safe for a terminal: control and formatting characters are shown as escapes."""

import re

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters other than tab and newline, characters that reorder text, and lone surrogates."""


def printable(text: str) -> str:
    r"""Return a text with unsafe characters as escapes, such as `\x1b`."""
    return UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """Return a text on one line, with unsafe characters as escapes and single spaces."""
    return printable(" ".join(text.split()))


def json_printable(document: str) -> str:
    """Return a JSON document with unsafe characters as JSON escapes."""
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
