"""One of the two result sets of a comparison, with its runs matched to rows even if their ids differ."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.errors import SpecError
from harness.store.files import StoreError, read_json
from harness.store.names import EVALUATION_RECORD, named
from harness.store.records import EvaluationRecord, Segment, TrainingRecord
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

Leaves = dict[str, Any]
Expected = Callable[[int], Collection[str]]
"""Returns the ids of the runs and evaluations of all cells with a seed."""
ABSENT = "(absent)"


class StoredRun(NamedTuple):
    """A stored run: its name, and the leaves of its configuration by dotted path."""

    name: str
    leaves: Leaves


class Side:
    """A result set, called `A` or `B`.

    `skipped_runs` lists the files that could not be read. Raises `SpecError` if it has no runs.
    """

    def __init__(self, name: str, path: str, results: Results) -> None:
        self.name = name
        self.path = path
        self.skipped_runs: list[str] = []
        self.results = results
        self._found: dict[tuple[str, int], str | None] = {}
        self._records: dict[tuple[str, str], EvaluationRecord | None] = {}
        if not results.all():
            raise SpecError(f"{path} has no runs: give a results directory or a bundle")

    @cached_property
    def stored(self) -> dict[str, StoredRun]:
        """Every readable run by id, as plain JSON, so that the version of the code does not matter."""
        found = {}
        for directory in self.results.all():
            try:
                document = read_json(directory.config)
                stored = StoredRun(str(document["name"]), leaves(document["config"]))
            except (StoreError, KeyError, TypeError) as error:
                self.skipped_runs.append(f"{self.name}: {directory.id}: {' '.join(str(error).split())}")
            else:
                found[directory.id] = stored
        return found

    @cached_property
    def commits(self) -> list[str]:
        """The commits that computed the runs."""
        found = (segment.commit for id in self.stored for segment in self.segments(id))
        return sorted({commit for commit in found if commit})

    def run(self, run: Run, expected: Expected) -> str | None:
        """Return the id of the stored run that corresponds to a run of a row, None if there is none.

        That is the run with the same id. Without one, it is the run of the same name, seed and dataset that differs in
        the fewest fields. Without such a run, it is a run of another name that differs only in `semantics` and in
        fields that one of the two lacks. Runs that are `expected` for other rows are not considered. A tie gives None.
        """
        if run.id in self.stored:
            return run.id
        key = run.id, run.config.seed
        if key not in self._found:
            self._found[key] = self._corresponding(run, expected(run.config.seed))
        return self._found[key]

    def _corresponding(self, run: Run, expected: Collection[str]) -> str | None:
        wanted = leaves(run.config.model_dump(mode="json"))
        others = {
            id: stored for id, stored in self.stored.items() if id not in expected and _is_same_cell(stored, wanted)
        }
        named = {id: stored for id, stored in others.items() if stored.name == run.name}
        renamed = {id: stored for id, stored in others.items() if _differs_by_version(stored.leaves, wanted)}
        return _nearest({id: len(differing(stored.leaves, wanted)) for id, stored in (named or renamed).items()})

    def record(self, id: str, evaluation: Evaluation, quantity: str, expected: Expected) -> EvaluationRecord | None:
        """Return the record of an evaluation of a run, None if there is none.

        Without a record of this evaluation, it is the record of the same kind and quantity that differs in the fewest
        settings and is not `expected` for another cell.
        """
        directory = self.results.runs / id / "evaluations"
        if own := self._record(id, evaluation.id):
            return own
        wanted = leaves(evaluation.model_dump(mode="json"))
        candidates: dict[str, int] = {}
        for path in named(directory, EVALUATION_RECORD):
            if not path.stem.startswith(f"{evaluation.kind}-"):
                continue
            record = self._record(id, path.stem) if path.stem not in expected(0) else None
            if record is not None and quantity in record.quantities:
                candidates[path.stem] = len(differing(leaves(record.evaluation), wanted))
        nearest = _nearest(candidates)
        return self._record(id, nearest) if nearest else None

    def segments(self, id: str) -> list[Segment]:
        """Return the segments of a run, none if they cannot be read."""
        try:
            return RunDirectory(self.results.runs / id).all_segments()
        except StoreError as error:
            self._skip(error)
            return []

    def training(self, id: str) -> TrainingRecord | None:
        """Return the training record of a run, None if it is absent or unreadable."""
        try:
            return RunDirectory(self.results.runs / id).training_record()
        except StoreError as error:
            self._skip(error)
            return None

    def _record(self, id: str, evaluation: str) -> EvaluationRecord | None:
        key = id, evaluation
        if key not in self._records:
            try:
                self._records[key] = self.results.reader.record(id, evaluation)
            except StoreError as error:
                self._skip(error)
                self._records[key] = None
        return self._records[key]

    def _skip(self, error: StoreError) -> None:
        line = f"{self.name}: {error}"
        if line not in self.skipped_runs:
            self.skipped_runs.append(line)


def leaves(document: Any, path: str = "") -> Leaves:
    """Return the leaves of a JSON document by dotted path; a list is a leaf."""
    if not isinstance(document, dict):
        return {path: document}
    found: Leaves = {}
    for key, value in document.items():
        found |= leaves(value, f"{path}.{key}" if path else str(key))
    return found


def differing(one: Leaves, other: Leaves) -> list[tuple[str, Any, Any]]:
    """Return the paths at which two documents differ, with both values, `ABSENT` if there is none."""
    return [(path, a, b) for path, a, b in _pairs(one, other) if a != b]


def _pairs(one: Leaves, other: Leaves) -> Iterator[tuple[str, Any, Any]]:
    for path in dict.fromkeys([*one, *other]):
        yield path, one.get(path, ABSENT), other.get(path, ABSENT)


def _is_same_cell(stored: StoredRun, wanted: Leaves) -> bool:
    """Return whether a run has the wanted seed and dataset; otherwise it belongs to another cell."""
    return all(stored.leaves.get(path) == wanted.get(path) for path in ("seed", "data.name"))


def _differs_by_version(stored: Leaves, wanted: Leaves) -> bool:
    return all(path == "semantics" or ABSENT in (a, b) for path, a, b in differing(stored, wanted))


def _nearest(distances: dict[str, int]) -> str | None:
    """Return the name at the smallest distance, None if there is a tie."""
    if not distances:
        return None
    smallest = min(distances.values())
    nearest = [name for name, distance in distances.items() if distance == smallest]
    return nearest[0] if len(nearest) == 1 else None


def joined(values: Iterable[object]) -> str:
    """Return values as text, each once."""
    return ", ".join(dict.fromkeys(str(value) for value in values))
