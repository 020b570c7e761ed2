"""The record of a recheck: the numbers of a run beside those that other libraries compute from its arrays."""

import hashlib
import math
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from harness.store.files import StoreError, sha256_of
from harness.store.names import EVALUATION
from harness.store.records import Record
from harness.store.run_directory import RunDirectory

EvaluationId = Annotated[str, StringConstraints(pattern=f"^{EVALUATION.pattern}$")]
Name = Annotated[str, StringConstraints(max_length=200)]


class RecheckedValue(Record):
    """A recorded number and the one that a library, named with its version, computes from the stored arrays.

    `difference` and `tolerance` are relative to the recorded number, absolute if that is 0.
    """

    quantity: Name
    recorded: float
    recomputed: float
    difference: float = Field(ge=0)
    tolerance: float = Field(ge=0)
    by: Name

    @property
    def agrees(self) -> bool:
        """Whether the difference is one of rounding; numbers that are not finite agree with themselves only."""
        return self.difference <= self.tolerance


class RecheckedEvaluation(Record):
    """The recheck of one record, which had this SHA-256. `left_out` are quantities that were not recomputed, and why.

    If one library computes a quantity and another cannot, `left_out` names the library with the quantity.
    """

    record_sha256: str
    values: tuple[RecheckedValue, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)


class RecheckRecord(Record):
    """The last recheck of a run by evaluation, with the SHA-256 of everything else in it.

    Raises `StoreError` on reading if it does not have this hash.
    """

    harness: str
    evaluations: dict[EvaluationId, RecheckedEvaluation]
    sha256: str = ""

    def sealed(self) -> Self:
        """Return the record with its hash."""
        return self.model_copy(update={"sha256": self._hash()})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.sha256 and self.sha256 != self._hash():
            raise ValueError("its content does not have the SHA-256 that it states")
        return self

    def _hash(self) -> str:
        return hashlib.sha256(self.model_dump_json(exclude={"sha256"}).encode()).hexdigest()


def recheck_path(directory: RunDirectory) -> Path:
    """Return the path of the record of a run's recheck."""
    return directory.path / "recheck.json"


def rechecked_evaluations(directory: RunDirectory) -> dict[str, RecheckedEvaluation]:
    """Return the rechecks of a run's present records by evaluation: none of a record that was measured again since.

    A damaged recheck counts as none; `verify` names it.
    """
    try:
        found = RecheckRecord.load(recheck_path(directory)).evaluations
    except (StoreError, FileNotFoundError):
        return {}
    return {id: recheck for id, recheck in found.items() if _is_present(directory, id, recheck.record_sha256)}


def relative_difference(recorded: float, recomputed: float) -> float:
    """Return the difference relative to the recorded number, absolute if that is 0.

    Numbers that are not finite differ by 0 from themselves, else infinitely.
    """
    if not (math.isfinite(recorded) and math.isfinite(recomputed)):
        same = recorded == recomputed or (math.isnan(recorded) and math.isnan(recomputed))
        return 0.0 if same else math.inf
    return abs(recorded - recomputed) / (abs(recorded) or 1.0)


def _is_present(directory: RunDirectory, id: str, sha256: str) -> bool:
    try:
        return sha256_of(directory.evaluations / f"{id}.json") == sha256
    except OSError:
        return False
