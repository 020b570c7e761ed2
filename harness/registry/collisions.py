"""Collisions: runs that differ at paper scale but not at a smaller scale, so that two rows would share one run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.config.run import Run
from harness.errors import SpecError
from harness.registry.exhibit import Exhibit
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.registry.scale import Scale


@dataclass(frozen=True)
class Collision:
    """Two runs of a paper that a scale maps to the same run, with the first row of each."""

    first: Run
    second: Run
    rows: tuple[str, str]

    def __str__(self) -> str:
        (one, other), differing = self.rows, ", ".join(_differing(self.first, self.second))
        return f"'{self.first.name}' ({one}) and '{self.second.name}' ({other}), which differ in {differing}"


def collisions(exhibits: Iterable[tuple[Exhibit, Sequence[Row]]], scale: Scale) -> Iterator[Collision]:
    """Yield the collisions among the runs of some rows of a paper."""
    found: dict[Run, tuple[Run, str]] = {}
    for exhibit, rows in exhibits:
        for row in rows:
            if row.run is None:
                continue
            place = f"{exhibit.name}, row '{row.key}'"
            first, at = found.setdefault(scale.shrink(row.run), (row.run, place))
            if first != row.run:
                yield Collision(first, row.run, (at, place))


def refuse_collisions(paper: Paper, exhibits: Iterable[tuple[Exhibit, Sequence[Row]]], scale: Scale) -> None:
    """Raise `SpecError` if the rules of a scale map two runs to one.

    Scales with values comparable to the paper's may do so, such as those that set the precision of all runs.
    """
    if scale.comparable or scale.rules is None:
        return
    for collision in collisions(exhibits, scale):
        raise SpecError(
            f"scale '{scale.name}' of paper '{paper.name}' merges {collision}: "
            "add a rule that separates them, such as for_runs(RUN, width=over(4))"
        )


def _differing(one: Run, other: Run) -> Iterator[str]:
    """Yield the fields in which two runs differ, each with both values."""
    first, second = (dict(_flat(run.config.model_dump(mode="json"))) for run in (one, other))
    for path in {**first, **second}:
        if first.get(path) != second.get(path):
            yield f"{path} ({first.get(path)}, {second.get(path)})"


def _flat(document: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested dictionaries with their paths."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
