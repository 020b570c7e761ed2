"""The records of a run directory: measurements, outcome, cost and progress."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf, isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from harness.store.files import corrupted, parsed_json, read_bytes, write_bytes

Ended = Literal["done", "failed", "cancelled"]
Amount = Annotated[float, Field(ge=0, le=1e15)]
"""Seconds or joules of one worker: sums and products of some of them stay finite and can be shown."""
Ranks = Annotated[int, Field(ge=1, le=10**6)]


class Record(BaseModel):
    """A JSON document in a run directory. NaN and infinities are stored as strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a record.

        Raises `StoreError`, naming the file, if it is invalid, and `FileNotFoundError` if it does not exist.
        """
        return cls.parse(read_bytes(path), path)

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Return the record with this content.

        Raises `StoreError`, naming the file, if it is invalid.
        """
        try:
            return cls.model_validate(parsed_json(path, content))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            where = [".".join(map(str, problem["loc"]))] if problem["loc"] else []
            raise corrupted(path, ": ".join([*where, problem["msg"]])) from None

    def save(self, path: Path) -> None:
        """Write the record atomically."""
        write_bytes(path, self.content())

    def content(self) -> bytes:
        """Return the content of the record's file."""
        return (self.model_dump_json(indent=2) + "\n").encode()


class Measurement(Record):
    """A measured value and its number of items."""

    value: float
    n: int


class FeatureSpaceDetails(Record):
    """A feature space as an evaluation describes it: its kind, data and weights; a space may add fields of its own."""

    model_config = ConfigDict(extra="allow")

    kind: str
    data: str = "unknown data"
    library: str = "an unknown library"
    weights_sha256: str = ""
    test_accuracy: float | None = None


class EvaluationRecord(Record):
    """The outcome of an evaluation: quantities, and the protocol settings behind them.

    `artefacts` maps the names of the saved arrays to their SHA-256.
    """

    evaluation: dict[str, Any]
    quantities: dict[str, Measurement]
    details: dict[str, Any] = Field(default_factory=dict)
    artefacts: dict[str, str] = Field(default_factory=dict)
    weights_sha256: str
    seconds: float

    @field_validator("details")
    @classmethod
    def _check_feature_space(cls, details: dict[str, Any]) -> dict[str, Any]:
        if "feature_space" in details:
            FeatureSpaceDetails.model_validate(details["feature_space"])
        return details


class TrainingRecord(Record):
    """The outcome of training, written once after the last iteration.

    `snapshots` holds the hashes of the EMA weights after each tenth of the training except the last. With model
    selection, `selected` is the step of the best state, and each snapshot is the best state until then. `curve_sha256`
    is the hash of `metrics.jsonl`; None if an earlier version wrote the record.
    """

    iterations: int
    parameters: int
    weights_sha256: str
    data_sha256: str
    snapshots: dict[int, str] = Field(default_factory=dict)
    selected: int | None = None
    curve_sha256: str | None = None

    def weights_of(self, tenths: int) -> str:
        """Return the hash of the EMA weights after this many tenths of the training, "" if they were not kept."""
        return self.weights_sha256 if tenths == 10 else self.snapshots.get(tenths, "")


class Need(Record):
    """A missing requirement of an evaluation, as printed in a cell, and the command that provides it."""

    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


class Outcome(Record):
    """The terminal record: how the last worker on a run ended, or that the run was cancelled.

    `needs` holds the missing requirements by evaluation.
    """

    state: Ended
    finished: datetime
    error: str | None = None
    needs: dict[str, Need] = Field(default_factory=dict)

    @classmethod
    def now(cls, state: Ended, error: str | None = None, needs: Mapping[str, Need] | None = None) -> Self:
        """Return an outcome with the current time."""
        return cls(state=state, finished=datetime.now(UTC), error=error, needs=dict(needs or {}))


class DistributionRecord(Record):
    """An installed distribution as seen by a worker: hash of its files, and git state, None if untracked."""

    name: str = Field(min_length=1)
    version: str
    commit: str | None = None
    dirty: bool | None = None
    sha256: str


class Segment(Record):
    """One worker's contribution to a run: machine, code, duration and work done.

    `world_size` ranks computed on `devices` devices called `device_name`. `loader` is the data loader and the reason
    for choosing it, `first_step` the step at which training resumed; both are None in a segment without training. The
    next `steps` steps took `training_seconds`, including validation and checkpoints; the first took
    `first_step_seconds`, including compilation. `evaluations` holds the seconds of finished evaluations by id,
    `records` the SHA-256 of their records, and `training_record` that of `training.json`. `energy_joules` is the energy
    of the devices, None without NVML. `distributions` define the kinds of the run and of its missing evaluations. In
    segments written before these fields existed, they are None or empty, and `seconds` covers training only.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    started: AwareDatetime
    seconds: Amount
    host: str
    device: str
    threads: int
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    first_step: int | None = None
    loader: str | None = None
    world_size: Ranks = 1
    devices: Ranks = 1
    device_name: str | None = None
    steps: int | None = None
    training_seconds: Amount | None = None
    first_step_seconds: Amount | None = None
    evaluations: dict[str, Amount] = Field(default_factory=dict)
    records: dict[str, str] = Field(default_factory=dict)
    training_record: str | None = None
    energy_joules: Amount | None = None
    distributions: tuple[DistributionRecord, ...] = ()

    @property
    def on_gpu(self) -> bool:
        """Whether the segment ran on GPUs."""
        return self.device.startswith("cuda")

    def vouches_for(self, evaluation: str) -> bool:
        """Return whether the worker finished an evaluation, or wrote the segment before segments listed them."""
        return evaluation in self.evaluations or "evaluations" not in self.model_fields_set

    @property
    def device_seconds(self) -> float:
        """The seconds summed over all ranks."""
        return self.seconds * self.world_size


class Progress(Record):
    """The progress of a run, updated regularly for displays. `rate` is in steps per second."""

    model_config = ConfigDict(allow_inf_nan=False)

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
        """The remaining training time at the current rate."""
        seconds = (self.total - self.step) / self.rate if self.rate else inf
        return seconds if isfinite(seconds) else None
