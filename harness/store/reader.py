"""Reads what the records of many runs say, each file once."""

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
"""Values by the names of quantities, and over how many items each was taken."""


class Reader:
    """What the records of the runs in a folder said when they were first asked for.

    What cannot be read raises a `StoreError`, every time it is asked for.
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
        """Return the id that a run has with this seed."""
        known, further = self._ids.setdefault(run.id, ([], run.ids(count())))
        while len(known) <= seed:
            known.append(next(further))
        return known[seed]

    def exists(self, run: str) -> bool:
        """Tell whether the run with this id has been asked for."""
        return self._exists(run)

    def quantities(self, run: str, evaluation: str) -> Quantities:
        """Return what the evaluation with this id has measured of a run, nothing while there is no record."""
        return self._quantities(run, evaluation)

    def details(self, run: str, evaluation: str) -> dict[str, Any]:
        """Return the details of a record that there is."""
        return EvaluationRecord.load(self._record(run, evaluation)).details

    def outcome(self, run: str) -> Outcome | None:
        """Return how the last worker on a run ended, None when none has."""
        return self._outcome(run)

    def segments(self, run: str) -> Sequence[Segment]:
        """Return the stays of all workers on a run, oldest first."""
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
    """Return what calls `read` once for the same names, and gives or raises the same again."""

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
