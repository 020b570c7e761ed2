"""Run directories: one folder per run, named by its identity, that holds everything known of it."""

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
    """A run that another version of the code has written: it is kept, and never taken for one of this version."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is of another version of this code ({why}); it is kept, 'run' makes a new one")


class ForeignError(StoreError):
    """A run that needs a kind that no installed package offers: it is whole, and readable where the package is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.why = why


class RunState(StrEnum):
    """Where a run stands, read off its directory."""

    MISSING = "missing"
    PENDING = "pending"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DONE = "done"


class _Inside:
    """A file or folder of a run directory: its path is made when it is asked for, since most are not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, directory: "RunDirectory", owner: type) -> Path:
        return directory.path / self._name


class RunDirectory:
    """The files of one run.

    `config.json` is the full configuration, `requests/` the evaluations that are wanted, `evaluations/` their
    records, `training.json` the outcome of training, `outcome.json` the terminal record, `segments/` the stays of
    workers with their provenance, `metrics.jsonl` the curves, `weights.safetensors` the final EMA weights,
    `snapshots/` those after each tenth of the training, `previews/` pictures of samples.
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
        """The identity of the run, which is the folder's name."""
        return self.path.name

    def request(self, run: Run, evaluations: Iterable[Evaluation]) -> None:
        """Make sure that the run and these evaluations are asked for. Repeating it changes nothing."""
        if not self.config.exists():
            write_json(self.config, {"id": run.id, "name": run.name, "config": run.config.model_dump(mode="json")})
        for evaluation in evaluations:
            path = self.requests / f"{evaluation.id}.json"
            if not path.exists():
                write_json(path, evaluation.model_dump(mode="json"))

    def run(self) -> Run:
        """Read the run back.

        Raises `StoreError` when the stored configuration is not the one that the folder is named after, `ForeignError`
        when it needs a kind that is not installed, and `OutdatedError` when it means another one to this version of
        the code.
        """
        document = read_json(self.config)
        try:
            stored, name = document["config"], str(document["name"])
            if identity(stored) != self.id:
                raise corrupted(self.config, "it is not the configuration that its folder is named after")
        except (KeyError, TypeError, ValueError):
            raise corrupted(self.config, "it holds no named configuration") from None
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
        """Return the evaluations that are asked for, in the order of their names.

        Requests that mean something else to this version of the code are left aside: it asks anew.
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
        """Tell whether somebody has asked for an evaluation."""
        return (self.requests / f"{evaluation.id}.json").exists()

    def missing(self) -> list[Evaluation]:
        """Return the requested evaluations that have no record yet."""
        return [evaluation for evaluation in self.requested() if not self.record_path(evaluation).exists()]

    def record_path(self, evaluation: Evaluation) -> Path:
        """Return where the record of an evaluation lies."""
        return self.evaluations / f"{evaluation.id}.json"

    def artefacts(self, evaluation: Evaluation) -> Path:
        """Return the folder for the arrays from which an evaluation can be recomputed."""
        return self.evaluations / evaluation.id

    def record(self, evaluation: Evaluation) -> EvaluationRecord | None:
        """Read the record of an evaluation, None while there is none."""
        return _load(EvaluationRecord, self.record_path(evaluation))

    def snapshot(self, tenths: int) -> Path:
        """Return where the EMA weights after so many tenths of the training lie."""
        return self.weights if tenths == 10 else self.snapshots / f"{tenths}.safetensors"

    def training_record(self) -> TrainingRecord | None:
        """Read the outcome of training, None while it goes on."""
        return _load(TrainingRecord, self.training)

    def last_outcome(self) -> Outcome | None:
        """Read how the last worker ended, None when none has."""
        return _load(Outcome, self.outcome)

    def is_cancelled(self) -> bool:
        """Tell whether somebody has cancelled the run; a record that cannot be read says nothing."""
        try:
            outcome = self.last_outcome()
        except (StoreError, OSError):
            return False
        return outcome is not None and outcome.state == "cancelled"

    def last_progress(self) -> Progress | None:
        """Read where the run stands, None before it has started."""
        return _load(Progress, self.progress)

    def all_segments(self) -> list[Segment]:
        """Read the stays of all workers, oldest first."""
        paths = sorted(self.segments.glob("*.json"), key=lambda path: int(path.stem))
        return [Segment.load(path) for path in paths]

    def state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Tell where the run stands with respect to the `wanted` evaluations, all requested ones by default."""
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
    """Return the evaluation of this name, None where it means something else now; runs share most of them.

    Raises `ValueError` when the content is not what it is named after.
    """
    stored = json.loads(content)
    if not isinstance(stored, dict) or name != Evaluation.id_of(str(stored.get("kind")), sha256_of_json(stored)):
        raise ValueError("it is not the evaluation that it is named after")
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
