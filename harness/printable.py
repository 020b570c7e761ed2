"""Makes text from anywhere safe for a terminal: characters that steer it are shown as escapes."""

import re

STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters other than tab and newline, characters that reorder text, and lone surrogates."""


def printable(text: str) -> str:
    r"""Return a text with steering characters as escapes, such as `\x1b`."""
    return STEERING.sub(_escape, text)


def one_line(text: str) -> str:
    """Return a text on one line, with steering characters as escapes and single spaces."""
    return printable(" ".join(text.split()))


def json_printable(document: str) -> str:
    """Return a JSON document with steering characters as escapes of JSON."""
    return STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
