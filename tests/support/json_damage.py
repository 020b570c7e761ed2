"""Random damage to one value of a JSON document: odd types and sizes, lost and renamed keys, plausible values."""

import json

DEEP = 100_000
ODD = (
    None, True, False, 0, -1, 1, 2**63, 10**30, -0.5, 1e308, 1e-320, "", " ", "0", "²", "x" * 100_000, "\ud800",
    "\x1b]0;owned\x07", "\u202egnp.exe", "../../etc/passwd", "/etc/passwd", "%n%s{}", "\x00",
    "<script>alert(1)</script>", "nan", "NaN", "Infinity", "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
    [], {}, [[]], [None],
    {"kind": []}, {"": None}, ["a"] * 50,
)  # fmt: skip
RAW = (
    b"1e999", b"-1e999", b"NaN", b"-Infinity", b"1" * 5000, b"1." + b"0" * 5000, b"[" * DEEP, b'{"a":' * DEEP,
    b"[" * DEEP + b"]" * DEEP, b'"\\ud800"', b"0x10", b"01", b"'a'", b"\xff", b"",
)  # fmt: skip
"""Texts in the place of a value that no JSON document should have there."""
KEYS = ("x", "", "\x1b[2J", "\ud800", "kind")
MARK = "\ue000"


def damaged(text, dice):
    """Return a JSON document as bytes with one value damaged, and the damage in words; None if it has no values."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    places = list(_places(document))
    if not places:
        return None
    holder, key = dice.choice(places)
    what = dice.choice(("odd", "odd", "raw", "lost", "renamed", "added", "copied", "near"))
    raw = b""
    if what == "odd":
        holder[key] = dice.choice(ODD)
    elif what == "raw":
        holder[key], raw = MARK, dice.choice(RAW)
    elif what == "lost":
        del holder[key]
    elif what == "renamed" and isinstance(holder, dict):
        holder[dice.choice(KEYS)] = holder.pop(key)
    elif what == "added" and isinstance(holder, dict):
        holder[dice.choice(KEYS)] = dice.choice(ODD)
    elif what == "copied":
        other, its_key = dice.choice(places)
        holder[key] = json.loads(json.dumps(other[its_key]))
    else:
        holder[key] = _near(holder[key])
    written = json.dumps(document, indent=2 if "\n" in text.strip() else None).encode()
    return written.replace(json.dumps(MARK).encode(), raw), f"{what} at {key!r}"


def _near(value):
    """Return a value of the same type that looks just as good."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    if isinstance(value, str):
        return value[::-1]
    return type(value)()


def _places(document):
    """Yield every dictionary or list with every key of it."""
    if isinstance(document, dict | list):
        for key in list(document) if isinstance(document, dict) else range(len(document)):
            yield document, key
            yield from _places(document[key])
