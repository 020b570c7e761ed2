"""Rehearsals: separate folders under `rehearsals/` with separate records, so that none counts as a result."""

import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.store.files import StoreError, writing
from harness.store.lease import is_leased
from harness.store.names import RUN, named
from harness.store.records import Record
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

FOLDER = "rehearsals"


class Problem(Record):
    """A failure that would end the run or one of its evaluations: the part, the error, and the fix."""

    part: str
    what: str
    mend: str | None = None

    def __str__(self) -> str:
        return f"{self.part}: {self.what}" + (f"; {self.mend}" if self.mend else "")


class RehearsedEvaluation(Record):
    """A rehearsed evaluation: measured time, and expected time of the full one on the same devices.

    `passes` of `full_passes` image passes through the network were run, with `chain` of `full_chain` sampling steps, 1
    if there is no chain. `first_seconds` is the time of the first attempt, including loading and compilation.
    """

    evaluation: dict[str, Any]
    passes: int
    full_passes: int
    chain: int
    full_chain: int
    first_seconds: float
    seconds: float
    full_seconds: float


class RehearsalRecord(Record):
    """The outcome of a rehearsal: cost and problems. Fields of stages that were not reached are None.

    `random_pixels` names the datasets replaced by noise because they were not available. `tried_steps` of `iterations`
    were trained: the first in `first_step_seconds`, each of the others in `step_seconds`. `validation_seconds` is per
    epoch. `checkpoint_share` is the overhead of writing checkpoints relative to training time. `peak_memory` is the
    maximum over ranks: allocated on a GPU with `device_memory`, resident on a CPU. Sizes are in bytes.
    """

    run: str
    started: datetime
    seconds: float
    host: str
    device: str
    device_name: str
    threads: int
    world_size: int
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    iterations: int
    epochs: int
    tried_steps: int = 0
    loader: str | None = None
    random_pixels: list[str] = Field(default_factory=list)
    opening_seconds: float = 0.0
    first_step_seconds: float | None = None
    step_seconds: float | None = None
    validation_seconds: float | None = None
    checkpoint_bytes: int | None = None
    checkpoint_write_seconds: float | None = None
    checkpoint_read_seconds: float | None = None
    checkpoint_share: float = 0.0
    peak_memory: int | None = None
    device_memory: int | None = None
    free_disk: int | None = None
    evaluations: dict[str, RehearsedEvaluation] = Field(default_factory=dict)
    problems: list[Problem] = Field(default_factory=list)

    @property
    def on_gpu(self) -> bool:
        """Whether the rehearsal ran on GPUs."""
        return self.device.startswith("cuda")

    @property
    def training_step_seconds(self) -> float | None:
        """The seconds per step including validation and checkpoints, None if no step was reached."""
        if self.step_seconds is None:
            return None
        validating = self.epochs * (self.validation_seconds or 0.0) / self.iterations
        return (self.step_seconds + validating) * (1 + self.checkpoint_share)

    @property
    def expected_seconds(self) -> float | None:
        """The expected time of the whole run on these devices, None if training was not reached."""
        if self.training_step_seconds is None:
            return None
        training = (self.first_step_seconds or 0.0) + self.iterations * self.training_step_seconds
        return self.opening_seconds + training + sum(entry.full_seconds for entry in self.evaluations.values())


class RehearsalDirectory(RunDirectory):
    """The files of a rehearsal: like those of a run, with the outcome in `rehearsal.json`.

    `scratch/` holds trial checkpoints and arrays, and is deleted at the end.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rehearsal = path / "rehearsal.json"
        self.scratch = path / "scratch"

    def request(self, run: Run, evaluations: Iterable[Evaluation]) -> None:
        """Request a rehearsal, replacing an earlier one unless it is still running."""
        if not is_leased(self.path):
            with writing(self.path):
                self.rehearsal.unlink(missing_ok=True)
                self.outcome.unlink(missing_ok=True)
                self.log.unlink(missing_ok=True)
                shutil.rmtree(self.requests, ignore_errors=True)
        super().request(run, evaluations)

    def record_of_rehearsal(self) -> RehearsalRecord | None:
        """Read the outcome of the rehearsal, None while it is unfinished."""
        try:
            return RehearsalRecord.load(self.rehearsal)
        except FileNotFoundError:
            return None

    def state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Return the state of the rehearsal: done if it has no problems, failed if it has."""
        try:
            record = self.record_of_rehearsal()
        except StoreError:
            return RunState.UNREADABLE
        if record is not None:
            return RunState.FAILED if record.problems else RunState.DONE
        if not self.config.exists():
            return RunState.MISSING
        return RunState.RUNNING if is_leased(self.path) else RunState.PENDING


class Rehearsals(Results):
    """The rehearsals of a results directory, one per run."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.runs = root / FOLDER

    def directory(self, run: Run) -> RehearsalDirectory:
        """Return the directory of a run's rehearsal, which may not exist."""
        return RehearsalDirectory(self.runs / run.id)

    def find(self, prefix: str) -> RehearsalDirectory:
        """Return the rehearsal of the run with an id that starts with `prefix`.

        Raises `SpecError` unless exactly one matches.
        """
        return RehearsalDirectory(super().find(prefix).path)

    def records(self) -> Iterable[tuple[RehearsalDirectory, RehearsalRecord]]:
        """Yield the finished, readable rehearsals."""
        for path in named(self.runs, RUN):
            directory = RehearsalDirectory(path)
            try:
                record = directory.record_of_rehearsal()
            except StoreError:
                continue
            if record is not None:
                yield directory, record
