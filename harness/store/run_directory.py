"""Run directories: one folder per run, named by its id, with all files of the run."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.store.files import DamagedError, StoreError, write_json
from harness.store.lease import is_leased
from harness.store.links import refuse_links
from harness.store.names import EVALUATION_RECORD, named, numbered
from harness.store.records import EvaluationRecord, Outcome, Progress, Record, Segment, TrainingRecord
from harness.store.requests import read_config, read_request, read_run
from harness.store.vouching import Vouchers, vouched_record, vouched_training

R = TypeVar("R", bound=Record)


class RunState(StrEnum):
    """The state of a run, determined from its directory."""

    MISSING = "missing"
    PENDING = "pending"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DONE = "done"
    UNREADABLE = "unreadable"


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
        """Request the run and these evaluations, replacing damaged files. Idempotent.

        Raises `StoreError` if the directory contains a link.
        """
        refuse_links(self.path)
        if _is_absent(partial(read_config, self.config)):
            write_json(self.config, {"id": run.id, "name": run.name, "config": run.config.model_dump(mode="json")})
        for evaluation in evaluations:
            path = self.requests / f"{evaluation.id}.json"
            if _is_absent(partial(read_request, path)):
                write_json(path, evaluation.model_dump(mode="json"))

    def run(self) -> Run:
        """Read the stored run.

        Raises `StoreError` if the stored configuration does not match the folder's id, `ForeignError` if it needs a
        kind that is not installed, and `OutdatedError` if this version of the code gives it another id.
        """
        return read_run(self.config)

    def requested(self) -> list[Evaluation]:
        """Return the requested evaluations, sorted by name.

        Requests that have another id in this version of the code are skipped: it writes its own.
        """
        found = map(read_request, named(self.requests, EVALUATION_RECORD))
        return [evaluation for evaluation in found if evaluation is not None]

    def is_requested(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation has been requested."""
        return (self.requests / f"{evaluation.id}.json").exists()

    def missing(self) -> list[Evaluation]:
        """Return the requested evaluations without a record that counts."""
        return self.unmeasured(self.requested())

    def unmeasured(self, evaluations: Iterable[Evaluation]) -> list[Evaluation]:
        """Return the evaluations without a record that counts."""
        return [evaluation for evaluation, found in self._records(evaluations) if not isinstance(found, Record)]

    def problems(self) -> list[StoreError]:
        """Return why records of requested evaluations do not count."""
        return [found for _, found in self._records(self.requested()) if isinstance(found, StoreError)]

    def _records(
        self, evaluations: Iterable[Evaluation]
    ) -> Iterator[tuple[Evaluation, EvaluationRecord | StoreError | None]]:
        """Yield evaluations with their records, None if there is none, or why the record does not count."""
        try:
            vouchers = self.vouchers()
        except DamagedError as error:
            yield from ((evaluation, error) for evaluation in evaluations)
            return
        for evaluation in evaluations:
            try:
                yield evaluation, vouched_record(self.record_path(evaluation), vouchers)
            except FileNotFoundError:
                yield evaluation, None
            except StoreError as error:
                yield evaluation, error

    def counting_records(self) -> list[Path]:
        """Return the paths of all records that count, requested or not, sorted by name."""
        vouchers, found = self.vouchers(), []
        for path in named(self.evaluations, EVALUATION_RECORD):
            with suppress(StoreError):
                vouched_record(path, vouchers)
                found.append(path)
        return found

    def vouchers(self) -> Vouchers:
        """Read what vouches for the records.

        Raises `StoreError` if the training record is damaged or that of another run.
        """
        segments, damaged = self.readable_segments()
        return Vouchers(vouched_training(self.training, segments), segments, damaged)

    def record_path(self, evaluation: Evaluation) -> Path:
        """Return the path of an evaluation's record."""
        return self.evaluations / f"{evaluation.id}.json"

    def artefacts(self, evaluation: Evaluation) -> Path:
        """Return the folder for the arrays from which an evaluation can be recomputed."""
        return self.evaluations / evaluation.id

    def record(self, evaluation: Evaluation) -> EvaluationRecord | None:
        """Read the record of an evaluation, None if there is none.

        Raises `StoreError` if it is damaged, or its training record and the segments do not vouch for it.
        """
        try:
            return vouched_record(self.record_path(evaluation), self.vouchers())
        except FileNotFoundError:
            return None

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
        """Read the progress of the run, None before it starts and while the file is damaged."""
        try:
            return _load(Progress, self.progress)
        except DamagedError:
            return None

    def all_segments(self) -> list[Segment]:
        """Read all segments, oldest first."""
        return [Segment.load(path) for path in numbered(self.segments, after=".json").values()]

    def readable_segments(self) -> tuple[list[Segment], list[StoreError]]:
        """Read the segments, oldest first, and the errors of damaged ones."""
        found, damaged = [], list[StoreError]()
        for path in numbered(self.segments, after=".json").values():
            try:
                found.append(Segment.load(path))
            except StoreError as error:
                damaged.append(error)
        return found, damaged

    def check(self) -> None:
        """Raise `StoreError`, naming the file, if one of those that the state follows from is damaged or a link."""
        refuse_links(self.path)
        read_config(self.config)
        self.requested()
        damaged = self.vouchers().damaged
        self.last_outcome()
        if damaged:
            raise damaged[0]

    def state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Return the state of the run with respect to the `wanted` evaluations, by default all requested ones.

        A run with a damaged file is unreadable: `check` says which one.
        """
        try:
            return self.readable_state(wanted)
        except (StoreError, OSError):
            return RunState.UNREADABLE

    def readable_state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Return the state of the run like `state`. Raises the error of `check` if a file is damaged."""
        if not self.config.exists():
            return RunState.MISSING
        self.check()
        evaluations = self.requested() if wanted is None else wanted
        if self.training_record() is not None and not self.unmeasured(evaluations):
            return RunState.DONE
        if is_leased(self.path):
            return RunState.RUNNING
        outcome = self.last_outcome()
        if outcome is not None and outcome.state != "done":
            return RunState(outcome.state)
        return RunState.INTERRUPTED if self.segments.exists() else RunState.PENDING


def _is_absent(read: Callable[[], object]) -> bool:
    """Return whether a file does not exist or is damaged."""
    try:
        read()
    except (FileNotFoundError, DamagedError):
        return True
    return False


def _load(record: type[R], path: Path) -> R | None:
    try:
        return record.load(path)
    except FileNotFoundError:
        return None
