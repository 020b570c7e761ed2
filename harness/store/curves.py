"""Training curves: one JSON object a line, appended as epochs close, cut back when training resumes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.store.files import write_bytes, writing


def read_curve(path: Path) -> Iterator[dict[str, float]]:
    """Yield the points of a curve, oldest first; a line torn by a crash is passed over."""
    if not path.exists():
        return
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def append_point(path: Path, point: Mapping[str, float]) -> None:
    """Add a point at the end."""
    with writing(path), open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(point) + "\n")


def cut_after(path: Path, step: int) -> None:
    """Drop the points beyond a step, from which training will draw them again."""
    kept = "".join(json.dumps(point) + "\n" for point in read_curve(path) if point["step"] <= step)
    write_bytes(path, kept.encode())
