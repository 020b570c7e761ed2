"""Training curves: JSON Lines, appended after each epoch and truncated when training resumes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.store.files import append, write_bytes


def read_curve(path: Path) -> Iterator[dict[str, float]]:
    """Yield the points of a curve, oldest first, skipping lines truncated by a crash."""
    if not path.exists():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def append_point(path: Path, point: Mapping[str, float]) -> None:
    """Append a point."""
    append(path, (json.dumps(point) + "\n").encode())


def cut_after(path: Path, step: int) -> None:
    """Drop the points after a step, because resumed training writes them again."""
    kept = "".join(json.dumps(point) + "\n" for point in read_curve(path) if point["step"] <= step)
    write_bytes(path, kept.encode())
