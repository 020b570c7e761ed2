"""The records of a run directory: what was measured, how it ended, what it cost, and where it stands."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.store.files import corrupted, read_bytes, write_bytes

Ended = Literal["done", "failed", "cancelled"]


class Record(BaseModel):
    """A JSON document in a run directory. NaN and infinities are kept, as strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record.

        Raises `StoreError`, naming the file, when it does not hold one, and `FileNotFoundError` when it is absent.
        """
        try:
            return cls.model_validate_json(read_bytes(path))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = [".".join(map(str, problem["loc"]))] if problem["loc"] else []
            raise corrupted(path, ": ".join([*where, problem["msg"]])) from None

    def save(self, path: Path) -> None:
        """Write the record atomically."""
        write_bytes(path, (self.model_dump_json(indent=2) + "\n").encode())


class Measurement(Record):
    """A measured value, and over how many items it was taken."""

    value: float
    n: int


class EvaluationRecord(Record):
    """The outcome of one evaluation: quantities, the settings of the protocol, and the files to recompute them."""

    evaluation: dict[str, Any]
    quantities: dict[str, Measurement]
    details: dict[str, Any] = Field(default_factory=dict)
    artefacts: dict[str, str] = Field(default_factory=dict)
    weights_sha256: str
    seconds: float


class TrainingRecord(Record):
    """The outcome of training: written once, when the last iteration is done.

    `snapshots` holds the hashes of the EMA weights after each tenth of the training but the last.
    """

    iterations: int
    parameters: int
    weights_sha256: str
    data_sha256: str
    snapshots: dict[int, str] = Field(default_factory=dict)


class Need(Record):
    """What an evaluation could not do without, in the words of a cell, and the command that mends it."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


class Outcome(Record):
    """The terminal record: how the last worker on a run ended, or that somebody has cancelled it.

    `needs` says by evaluation what was not at hand.
    """

    state: Ended
    finished: datetime
    error: str | None = None
    needs: dict[str, Need] = Field(default_factory=dict)

    @classmethod
    def now(cls, state: Ended, error: str | None = None, needs: Mapping[str, Need] | None = None) -> Self:
        """Return an outcome of this moment."""
        return cls(state=state, finished=datetime.now(UTC), error=error, needs=dict(needs or {}))


class DistributionRecord(Record):
    """An installed distribution as a worker found it: the hash of its files, and their state in git, None outside."""

    name: str = Field(min_length=1)
    version: str
    commit: str | None = None
    dirty: bool | None = None
    sha256: str


class Segment(Record):
    """One worker's stay on a run: where, with which code, for how long, and what it did in that time.

    `world_size` ranks computed on `devices` devices called `device_name`. `loader` names what kept the training images,
    and why it was taken; `first_step` is where training went on: both are None in a stay that only measured. Of the
    `steps` of training that follow, `training_seconds` are spent, validation and checkpoints included, and the
    first of them takes `first_step_seconds`: whatever is compiled or loaded. `evaluations` holds the seconds of those
    that were finished, by their ids. `energy_joules` is what the devices took meanwhile, where NVML tells it.
    `distributions` are those whose kinds the run uses, and the evaluations that were left to measure. Stays of versions
    before these fields have None, or none, and count their training only.
    """

    started: datetime
    seconds: float
    host: str
    device: str
    threads: int
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    first_step: int | None = None
    loader: str | None = None
    world_size: int = 1
    devices: int = 1
    device_name: str | None = None
    steps: int | None = None
    training_seconds: float | None = None
    first_step_seconds: float | None = None
    evaluations: dict[str, float] = Field(default_factory=dict)
    energy_joules: float | None = None
    distributions: tuple[DistributionRecord, ...] = ()

    @property
    def on_gpu(self) -> bool:
        """Whether it computed on GPUs."""
        return self.device.startswith("cuda")

    @property
    def device_seconds(self) -> float:
        """The seconds of all its ranks together."""
        return self.seconds * self.world_size


class Progress(Record):
    """Where a run stands: the heartbeat that displays read. `rate` is in steps a second."""

    phase: str
    step: int
    total: int
    epochs: int
    rate: float | None = None

    @property
    def epoch(self) -> float:
        """The position in epochs."""
        return self.epochs * self.step / self.total if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The time until the end of training at the present rate."""
        return (self.total - self.step) / self.rate if self.rate else None
