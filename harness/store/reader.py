"""Cached reader for the records of many runs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from harness.config.run import Run
from harness.store.curves import curve_sha256, read_curve
from harness.store.files import StoreError
from harness.store.rechecks import rechecked_evaluations
from harness.store.records import EvaluationRecord, FeatureSpaceDetails, Outcome, Segment
from harness.store.run_directory import RunDirectory
from harness.store.vouching import vouched_record

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
        self.rechecks = cache(lambda run: rechecked_evaluations(self.directory(run)))
        self._vouchers = _once(lambda run: self.directory(run).vouchers())
        self._record = _once(self._read_record)
        self._curve = _once(self._read_curve)

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
        record = self._record(run, evaluation)
        return {name: (found.value, found.n) for name, found in record.quantities.items()} if record else {}

    def details(self, run: str, evaluation: str) -> dict[str, Any]:
        """Return the details of a record, none if there is no record."""
        record = self._record(run, evaluation)
        return record.details if record else {}

    def feature_space(self, run: str, evaluation: str) -> str:
        """Return the SHA-256 of the weights that computed the features of a record, empty if there are none."""
        space = self.details(run, evaluation).get("feature_space")
        return FeatureSpaceDetails.model_validate(space).weights_sha256 if space is not None else ""

    def record(self, run: str, evaluation: str) -> EvaluationRecord | None:
        """Return the record of an evaluation of a run, None if there is none.

        Raises `StoreError` if it is damaged, or its training record and the segments do not vouch for it.
        """
        return self._record(run, evaluation)

    def curve(self, run: str) -> Sequence[Mapping[str, float]]:
        """Return the points of the training curve of a run, oldest first; none while it trains.

        Points that the training record does not vouch for count as none. Raises `StoreError` if a file is damaged.
        """
        return self._curve(run)

    def outcome(self, run: str) -> Outcome | None:
        """Return the outcome of the last worker on a run, None if there is none."""
        return self._outcome(run)

    def segments(self, run: str) -> Sequence[Segment]:
        """Return the segments of a run, oldest first."""
        return self._segments(run)

    def _read_curve(self, run: str) -> Sequence[Mapping[str, float]]:
        training, path = self._vouchers(run).training, self.directory(run).metrics
        if training is None or training.curve_sha256 not in (None, curve_sha256(path, training.iterations)):
            return ()
        return [point for point in read_curve(path) if point["step"] <= training.iterations]

    def _read_record(self, run: str, evaluation: str) -> EvaluationRecord | None:
        path = self._runs / f"{run}/evaluations/{evaluation}.json"
        if not path.exists():
            return None
        try:
            return vouched_record(path, self._vouchers(run))
        except FileNotFoundError:
            return None


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
