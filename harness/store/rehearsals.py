"""Rehearsals: folders of their own under `rehearsals/`, with a record of their own, so that none counts as a result."""

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
from harness.store.records import Record
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

FOLDER = "rehearsals"


class Problem(Record):
    """What would have ended the run, or one of its evaluations: where, what, and what mends it."""

    part: str
    what: str
    mend: str | None = None

    def __str__(self) -> str:
        return f"{self.part}: {self.what}" + (f"; {self.mend}" if self.mend else "")


class RehearsedEvaluation(Record):
    """An evaluation in miniature: what it took, and what the full one is expected to take on the same devices.

    `passes` are those of images through the network, of `full_passes`; `chain` the steps of the sampled chain, of
    `full_chain`; 1 where it goes through none. `first_seconds` is what the first try took, with all that was loaded and
    compiled for it.
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
    """How a rehearsal went: what it took, and what would have gone wrong. None stands for what was not reached.

    `random_pixels` names the datasets that were not at hand. `tried_steps` of `iterations` were trained: the first in
    `first_step_seconds`, each of the others in `step_seconds`, and `validation_seconds` are for one epoch.
    `checkpoint_share` is the part of a training's time that writing checkpoints takes. `peak_memory` is that of the
    rank that took most: allocated on a GPU of `device_memory`, resident on a CPU. All sizes are in bytes.
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
        """Whether it computed on GPUs."""
        return self.device.startswith("cuda")

    @property
    def training_step_seconds(self) -> float | None:
        """The seconds of a step with its share of validation and checkpoints, None where none was reached."""
        if self.step_seconds is None:
            return None
        validating = self.epochs * (self.validation_seconds or 0.0) / self.iterations
        return (self.step_seconds + validating) * (1 + self.checkpoint_share)

    @property
    def expected_seconds(self) -> float | None:
        """The time that the whole run is expected to take on these devices, None where training was not reached."""
        if self.training_step_seconds is None:
            return None
        training = (self.first_step_seconds or 0.0) + self.iterations * self.training_step_seconds
        return self.opening_seconds + training + sum(entry.full_seconds for entry in self.evaluations.values())


class RehearsalDirectory(RunDirectory):
    """The files of one rehearsal: as those of a run, with `rehearsal.json` for its outcome.

    `scratch/` holds what it writes to try that out; it is gone at the end.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rehearsal = path / "rehearsal.json"
        self.scratch = path / "scratch"

    def request(self, run: Run, evaluations: Iterable[Evaluation]) -> None:
        """Ask for a rehearsal, which overwrites the one before; one that goes on is left alone."""
        if not is_leased(self.path):
            with writing(self.path):
                self.rehearsal.unlink(missing_ok=True)
                self.outcome.unlink(missing_ok=True)
                self.log.unlink(missing_ok=True)
                shutil.rmtree(self.requests, ignore_errors=True)
        super().request(run, evaluations)

    def record_of_rehearsal(self) -> RehearsalRecord | None:
        """Read how the rehearsal went, None while it has no end."""
        try:
            return RehearsalRecord.load(self.rehearsal)
        except FileNotFoundError:
            return None

    def state(self, wanted: Iterable[Evaluation] | None = None) -> RunState:
        """Tell where the rehearsal stands: done where nothing would have gone wrong, else failed."""
        record = self.record_of_rehearsal()
        if record is not None:
            return RunState.FAILED if record.problems else RunState.DONE
        if not self.config.exists():
            return RunState.MISSING
        return RunState.RUNNING if is_leased(self.path) else RunState.PENDING


class Rehearsals(Results):
    """The rehearsals of a results directory, one for each run."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.runs = root / FOLDER

    def directory(self, run: Run) -> RehearsalDirectory:
        """Return the directory of a run's rehearsal, whether it exists or not."""
        return RehearsalDirectory(self.runs / run.id)

    def find(self, prefix: str) -> RehearsalDirectory:
        """Return the one rehearsal whose run's identity begins with `prefix`.

        Raises `SpecError` when none or several do.
        """
        return RehearsalDirectory(super().find(prefix).path)

    def records(self) -> Iterable[tuple[RehearsalDirectory, RehearsalRecord]]:
        """Yield the rehearsals that have come to an end and can be read."""
        for path in sorted(self.runs.glob("*/rehearsal.json")):
            directory = RehearsalDirectory(path.parent)
            try:
                record = directory.record_of_rehearsal()
            except StoreError:
                continue
            if record is not None:
                yield directory, record
