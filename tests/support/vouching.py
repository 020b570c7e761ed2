"""Training records, segments and hashes of arrays that vouch for the records of runs that no worker made."""

from datetime import UTC, datetime

from harness.store.files import sha256_of
from harness.store.records import EvaluationRecord, Segment, TrainingRecord

WEIGHTS = "0" * 64


def keep_hashes(path):
    """Write the hashes of the arrays beside a record into it."""
    found = {array.name: sha256_of(array) for array in sorted(path.with_suffix("").glob("*.npy"))}
    record = EvaluationRecord.load(path)
    if record.artefacts != found:
        record.model_copy(update={"artefacts": found}).save(path)


def mentioned(directory):
    """Return the seconds of all evaluations of a run, as a segment lists them."""
    return {path.stem: 1.0 for path in directory.evaluations.glob("*.json")}


def vouch(directory, weights=WEIGHTS):
    """Write a training record unless there is one, a segment of no cost that mentions all records of a run, and the
    hashes of the arrays beside the records."""
    for path in directory.evaluations.glob("*.json"):
        keep_hashes(path)
    if not directory.training.exists():
        TrainingRecord(
            iterations=1608,
            parameters=73396,
            weights_sha256=weights,
            data_sha256="b" * 64,
            snapshots=dict.fromkeys(range(1, 10), weights),
        ).save(directory.training)
    Segment(
        started=datetime(2026, 3, 1, tzinfo=UTC),
        seconds=0.0,
        host="here",
        device="cpu",
        threads=1,
        commit=None,
        dirty=None,
        versions={},
        evaluations=mentioned(directory),
    ).save(directory.segments / "0.json")
