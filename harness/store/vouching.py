"""A record counts only if it is vouched for: by the weights of its training record, its name, and a worker's segment.

Everything else is kept and reported, and counts as not measured, so that `run` measures it again.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.advice import command
from harness.config.evaluations import Evaluation
from harness.store.files import StoreError, corrupted, read_bytes
from harness.store.records import EvaluationRecord, Segment, TrainingRecord


class UnvouchedError(StoreError):
    """A record is not the one that a worker wrote for its run: `what`, as printed in a cell, `why`, and the `mend`."""

    def __init__(self, path: Path, what: str, why: str) -> None:
        self.what, self.why = what, why
        self.mend = f"{path} {why}: '{command(f'retry {path.parts[-3]}')}' measures it again"
        super().__init__(self.mend)


class Vouchers(NamedTuple):
    """The training record of a run, None while it trains, its readable segments, and the errors of damaged ones."""

    training: TrainingRecord | None
    segments: Sequence[Segment]
    damaged: Sequence[StoreError] = ()


def vouched_record(path: Path, vouchers: Vouchers) -> EvaluationRecord:
    """Read a record of a run.

    Raises `UnvouchedError` if the training record or the segments do not vouch for it, or the error of a damaged
    segment that may be the reason; `StoreError` if it is damaged, and `FileNotFoundError` if it does not exist.
    """
    training, segments, damaged = vouchers
    content = read_bytes(path)
    record = _parsed(content, path)
    found = _id_of(json.dumps(record.evaluation))
    if found != path.stem:
        raise UnvouchedError(path, "another evaluation", f"is the record of {found}")
    if training is None:
        raise UnvouchedError(path, "not trained", "has no training record beside it")
    weights = training.weights_of(round(10 * _after(record.evaluation)))
    if not weights or record.weights_sha256 != weights:
        raise UnvouchedError(path, "other weights", "was measured with other weights than training.json states")
    hashes = {segment.records[path.stem] for segment in segments if path.stem in segment.records}
    if hashes and hashlib.sha256(content).hexdigest() not in hashes:
        raise UnvouchedError(path, "edited", "is not the record that the worker wrote")
    if not hashes and not any(segment.vouches_for(path.stem) for segment in segments):
        raise damaged[0] if damaged else UnvouchedError(path, "no segment", "is mentioned by no segment of its run")
    return record


def vouched_training(path: Path, segments: Sequence[Segment]) -> TrainingRecord | None:
    """Read the training record of a run, None while it trains.

    Raises `StoreError`, naming the file to delete, if it is damaged or not the one that a segment states.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return None
    record = TrainingRecord.parse(content, path)
    hashes = {segment.training_record for segment in segments if segment.training_record is not None}
    if hashes and hashlib.sha256(content).hexdigest() not in hashes:
        raise corrupted(path, "it is not the record that a worker of this run wrote")
    return record


@lru_cache(maxsize=8192)
def _parsed(content: bytes, path: Path) -> EvaluationRecord:
    return EvaluationRecord.parse(content, path)


@lru_cache(maxsize=8192)
def _id_of(evaluation: str) -> str:
    return Evaluation.id_of_stored(json.loads(evaluation))


def _after(evaluation: dict[str, Any]) -> float:
    """Return the share of training after which an evaluation measures, -1 if it states none."""
    after = evaluation.get("after", 1.0)
    return float(after) if isinstance(after, int | float) else -1.0
