"""Parses JSON documents strictly, within bounds on size, depth and numbers."""

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

MAX_VALUES = 200_000
MAX_DEPTH = 64
MAX_DIGITS = 19
"""Of an integer, such as a time in nanoseconds; any sum of some of them is still a finite number."""
SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(content: bytes) -> Any:
    """Return a JSON document: UTF-8, finite numbers, distinct keys, bounded depth and number of values.

    Raises `ValueError` with the reason if it is anything else.
    """
    if sum(map(content.count, (b"{", b"[", b","))) > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES:,} values")
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refused, parse_int=_integer
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    for leaf in leaves_of(document):
        if isinstance(leaf, str) and SURROGATE.search(leaf):
            raise ValueError("a string contains a lone surrogate")
        if isinstance(leaf, float) and not isfinite(leaf):
            raise ValueError("a number is too large")
    return document


def leaves_of(document: Any) -> Iterator[Any]:
    """Yield all keys and all values other than lists and objects.

    Raises `ValueError` if the document is nested deeper than `MAX_DEPTH`.
    """
    todo = [(document, 0)]
    while todo:
        part, depth = todo.pop()
        if not isinstance(part, dict | list):
            yield part
            continue
        if depth == MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        if isinstance(part, dict):
            yield from part
        todo += [(item, depth + 1) for item in (part.values() if isinstance(part, dict) else part)]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key appears twice")
    return document


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise ValueError(f"an integer has more than {MAX_DIGITS} digits")
    return int(digits)
