"""Cached reader for the records of many runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from harness.config.run import Run
from harness.store.files import StoreError
from harness.store.records import EvaluationRecord, Outcome, Segment
from harness.store.run_directory import RunDirectory

T = TypeVar("T")
Names = TypeVarTuple("Names")
Quantities = Mapping[str, tuple[float, int]]
"""Values with their number of items, keyed by quantity."""


class Reader:
    """Cache of the records of the runs in a folder, as of the first read.

    Unreadable records raise `StoreError` on every access.
    """

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self.directory = cache(lambda run: RunDirectory(runs / run))
        self._ids: dict[str, tuple[list[str], Iterator[str]]] = {}
        self._exists = cache(lambda run: self.directory(run).config.exists())
        self._outcome = _once(lambda run: self.directory(run).last_outcome())
        self._segments = _once(lambda run: self.directory(run).all_segments())
        self._quantities = _once(self._read_quantities)

    def id_of(self, run: Run, seed: int) -> str:
        """Return the id of a run with this seed."""
        known, further = self._ids.setdefault(run.id, ([], run.ids(count())))
        while len(known) <= seed:
            known.append(next(further))
        return known[seed]

    def exists(self, run: str) -> bool:
        """Return whether the run with this id has been requested."""
        return self._exists(run)

    def quantities(self, run: str, evaluation: str) -> Quantities:
        """Return the quantities measured by an evaluation of a run, by id; empty if there is no record."""
        return self._quantities(run, evaluation)

    def details(self, run: str, evaluation: str) -> dict[str, Any]:
        """Return the details of an existing record, which are not cached."""
        return EvaluationRecord.load(self._record(run, evaluation)).details

    def outcome(self, run: str) -> Outcome | None:
        """Return the outcome of the last worker on a run, None if there is none."""
        return self._outcome(run)

    def segments(self, run: str) -> Sequence[Segment]:
        """Return the segments of a run, oldest first."""
        return self._segments(run)

    def _record(self, run: str, evaluation: str) -> Path:
        return self._runs / f"{run}/evaluations/{evaluation}.json"

    def _read_quantities(self, run: str, evaluation: str) -> Quantities:
        try:
            record = EvaluationRecord.load(self._record(run, evaluation))
        except FileNotFoundError:
            return {}
        return {name: (found.value, found.n) for name, found in record.quantities.items()}


def _once(read: Callable[[*Names], T]) -> Callable[[*Names], T]:
    """Cache `read` per arguments, including a raised `StoreError`."""

    @cache
    def attempt(*names: *Names) -> T | StoreError:
        try:
            return read(*names)
        except StoreError as error:
            return error

    def again(*names: *Names) -> T:
        found = attempt(*names)
        if isinstance(found, StoreError):
            raise found
        return found

    return again
