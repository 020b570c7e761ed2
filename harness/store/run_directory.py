"""Run directories: one folder per run, named by its id, with all files of the run."""

import json
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from harness.config.base import sha256_of_json
from harness.config.evaluations import Evaluation
from harness.config.run import SEMANTICS, Run, RunConfig, identity
from harness.errors import SpecError, UnknownKindError
from harness.store.files import StoreError, corrupted, read_bytes, read_json, write_json
from harness.store.lease import is_leased
from harness.store.records import EvaluationRecord, Outcome, Progress, Record, Segment, TrainingRecord

R = TypeVar("R", bound=Record)


class OutdatedError(StoreError):
    """A run was written by another version of the code. It is kept, but never reused by this version."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is from another version of this code ({why}); it is kept, 'run' starts a new one")


class ForeignError(StoreError):
    """A run needs a kind of a package that is not installed. The run is intact and readable with that package."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.why = why


class RunState(StrEnum):
    """The state of a run, determined from its directory."""

    MISSING = "missing"
    PENDING = "pending"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DONE = "done"


class _Inside:
    """A file or folder of a run directory. The path is built on access, since most are never used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, directory: "RunDirectory", owner: type) -> Path:
        return directory.path / self._name


class RunDirectory:
    """The files of one run.

    `config.json` is the full configuration, `requests/` the requested evaluations, `evaluations/` their records,
    `training.json` the outcome of training, `outcome.json` the terminal record, `segments/` the segments with their
    provenance, `metrics.jsonl` the curves, `weights.safetensors` the final EMA weights, `snapshots/` the EMA weights
    after each tenth of the training, `previews/` images of samples.
    """

    config = _Inside("config.json")
    requests = _Inside("requests")
    evaluations = _Inside("evaluations")
    training = _Inside("training.json")
    outcome = _Inside("outcome.json")
    progress = _Inside("progress.json")
    segments = _Inside("segments")
    metrics = _Inside("metrics.jsonl")
    checkpoints = _Inside("checkpoints")
    weights = _Inside("weights.safetensors")
    snapshots = _Inside("snapshots")
    log = _Inside("log.txt")
    previews = _Inside("previews")

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        """The id of the run, which is the name of the folder."""
        return self.path.name

    def request(self, run: Run, evaluations: Iterable[Evaluation]) -> None:
        """Request the run and these evaluations. Idempotent."""
        if not self.config.exists():
            write_json(self.config, {"id": run.id, "name": run.name, "config": run.config.model_dump(mode="json")})
        for evaluation in evaluations:
            path = self.requests / f"{evaluation.id}.json"
            if not path.exists():
                write_json(path, evaluation.model_dump(mode="json"))

    def run(self) -> Run:
        """Read the stored run.

        Raises `StoreError` if the stored configuration does not match the folder's id, `ForeignError` if it needs a
        kind that is not installed, and `OutdatedError` if this version of the code gives it another id.
        """
        document = read_json(self.config)
        try:
            stored, name = document["config"], str(document["name"])
            if identity(stored) != self.id:
                raise corrupted(self.config, "the configuration does not match the folder's id")
        except (KeyError, TypeError, ValueError):
            raise corrupted(self.config, "name or configuration is missing") from None
        try:
            run = Run(name, RunConfig(**stored))
        except UnknownKindError as error:
            raise ForeignError(self.path, str(error)) from None
        except SpecError as error:
            raise OutdatedError(self.path, str(error)) from None
        if run.config.semantics != SEMANTICS:
            raise OutdatedError(self.path, f"semantics {run.config.semantics}, {SEMANTICS} now")
        if run.id != self.id:
            raise OutdatedError(self.path, f"the same fields are {run.id} now")
        return run

    def requested(self) -> list[Evaluation]:
        """Return the requested evaluations, sorted by name.

        Requests that have another id in this version of the code are skipped: it writes its own.
        """
        found = []
        for path in sorted(self.requests.glob("*.json")):
            try:
                evaluation = _requested(read_bytes(path), path.stem)
            except (ValueError, RecursionError) as error:
                raise corrupted(path, str(error)) from None
            if evaluation is not None:
                found.append(evaluation)
        return found

    def is_requested(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation has been requested."""
        return (self.requests / f"{evaluation.id}.json").exists()

    def missing(self) -> list[Evaluation]:
        """Return the requested evaluations without a record."""
        return [evaluation for evaluation in self.requested() if not self.record_path(evaluation).exists()]

    def record_path(self, evaluation: Evaluation) -> Path:
        """Return the path of an evaluation's record."""
        return self.evaluations / f"{evaluation.id}.json"

    def artefacts(self, evaluation: Evaluation) -> Path:
        """Return the folder for the arrays from which an evaluation can be recomputed."""
        return self.evaluations / evaluation.id

    def record(self, evaluation: Evaluation) -> EvaluationRecord | None:
        """Read the record of an evaluation, None if there is none."""
        return _load(EvaluationRecord, self.record_path(evaluation))

    def snapshot(self, tenths: int) -> Path:
        """Return the path of the EMA weights after this many tenths of the training."""
        return self.weights if tenths == 10 else self.snapshots / f"{tenths}.safetensors"

    def training_record(self) -> TrainingRecord | None:
        """Read the outcome of training, None while it is unfinished."""
        return _load(TrainingRecord, self.training)

    def last_outcome(self) -> Outcome | None:
        """Read the outcome of the last worker, None if there is none."""
        return _load(Outcome, self.outcome)

    def is_cancelled(self) -> bool:
        """Return whether the run was cancelled, False if the record is unreadable."""
        try:
            outcome = self.last_outcome()
        except (StoreError, OSError):
            return False
        return outcome is not None and outcome.state == "cancelled"

    def last_progress(self) -> Progress | None:
        """Read the progress of the run, None before it starts."""
        return _load(Progress, self.progress)

    def all_segments(self) -> list[Segment]:
        """Read all segments, oldest first."""
        paths = sorted(self.segments.glob("*.json"), key=lambda path: int(path.stem))
        return [Segment.load(path) for path in paths]

    def state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Return the state of the run with respect to the `wanted` evaluations, by default all requested ones."""
        if not self.config.exists():
            return RunState.MISSING
        evaluations = self.requested() if wanted is None else wanted
        if self.training.exists() and all(self.record_path(evaluation).exists() for evaluation in evaluations):
            return RunState.DONE
        if is_leased(self.path):
            return RunState.RUNNING
        outcome = self.last_outcome()
        if outcome is not None and outcome.state != "done":
            return RunState(outcome.state)
        return RunState.INTERRUPTED if self.segments.exists() else RunState.PENDING


@lru_cache(maxsize=1024)
def _requested(content: bytes, name: str) -> Evaluation | None:
    """Return the evaluation with this name, None if it has another id now. Cached, since runs share most of them.

    Raises `ValueError` if the content does not match the name.
    """
    stored = json.loads(content)
    if not isinstance(stored, dict) or name != Evaluation.id_of(str(stored.get("kind")), sha256_of_json(stored)):
        raise ValueError("the evaluation does not match the file name")
    try:
        evaluation: Evaluation = Evaluation.read(stored)
    except SpecError:
        return None
    return evaluation if evaluation.id == name else None


def _load(record: type[R], path: Path) -> R | None:
    try:
        return record.load(path)
    except FileNotFoundError:
        return None
