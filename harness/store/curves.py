"""Training curves: JSON Lines, appended after each epoch and truncated when training resumes."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any

from harness.regular_files import open_regular
from harness.store.files import StoreError, append, write_bytes

MAX_CURVE_BYTES = 2**22
MAX_LINE_BYTES = 2**16
MAX_RESUMED_BYTES = 2**26
"""A longer curve is damaged: no worker writes one."""
Line = tuple[bytes, dict[str, float] | None]


def read_curve(path: Path) -> Iterator[dict[str, float]]:
    """Yield the points of a curve, oldest first, skipping lines that are none, such as one truncated by a crash.

    A point has a `step`, and numbers only. Raises `StoreError` if the file cannot be read.
    """
    return (point for _, point in _lines(path, MAX_CURVE_BYTES) if point is not None)


def append_point(path: Path, point: Mapping[str, float]) -> None:
    """Append a point."""
    append(path, (json.dumps(point) + "\n").encode())


def cut_after(path: Path, step: int) -> int:
    """Drop the points after a step, because resumed training writes them again, and all lines that are no points.

    Returns the number of lines that are no points. Where the file
    cannot be read on, the rest is dropped.
    """
    lines: list[Line] = []
    try:
        for line in _lines(path, MAX_RESUMED_BYTES):
            lines.append(line)
    except StoreError:
        lines.append((b"", None))
    write_bytes(path, b"".join(_until(lines, step)))
    return sum(point is None for _, point in lines)


def numbers_of(line: bytes) -> dict[str, float] | None:
    """Return the numbers by name in a line of a curve, None if it is anything else."""
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    numbers = all(type(value) is float or (type(value) is int and abs(value) < 2**63) for value in found.values())
    return found if numbers else None


def curve_sha256(path: Path, step: int) -> str:
    """Return the SHA-256 of the points of a curve up to a step.

    Raises `StoreError` if the file cannot be read.
    """
    return hashlib.sha256(b"".join(_until(_lines(path, MAX_RESUMED_BYTES), step))).hexdigest()


def _until(lines: Iterable[Line], step: int) -> Iterator[bytes]:
    return (line for line, point in lines if point is not None and point["step"] <= step)


def _lines(path: Path, most_bytes: float) -> Iterator[Line]:
    """Yield each line with its point, an empty line and None for a line that is no point."""
    try:
        with open_regular(path) as file:
            while line := file.readline(MAX_LINE_BYTES):
                point = _point(line)
                yield (line if point is not None else b"", point)
                if file.tell() > most_bytes:
                    raise StoreError(f"cannot read {path}: it has more than {most_bytes:,} bytes")
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None


def _point(line: bytes) -> dict[str, float] | None:
    found = numbers_of(line) if line.endswith(b"\n") else None
    return found if found is not None and 0 <= found.get("step", -1) < inf else None
