"""Records, the results directory and its reader, and rehearsals: what is read, in which order, and how often."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from harness.config.evaluations import Accuracy
from harness.store.files import StoreError
from harness.store.records import (
    DistributionRecord,
    EvaluationRecord,
    Measurement,
    Need,
    Outcome,
    Progress,
    Segment,
)

WHERE = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}


RECORD = EvaluationRecord(
    evaluation=Accuracy().model_dump(mode="json"), quantities={"accuracy": Measurement(value=1.5, n=7)},
    details={"a": 1}, weights_sha256="0" * 64, seconds=1.0,
)  # fmt: skip


HASHES = {"weights_sha256": "0" * 64, "data_sha256": "1" * 64}


def segment(seconds=1.0, **fields):
    return Segment(started=datetime.now(UTC), seconds=seconds, **WHERE | fields)


def test_progress_is_in_epochs_and_seconds():
    progress = Progress(phase="training", step=30, total=120, epochs=8, rate=3.0)
    assert (progress.epoch, progress.seconds_left) == (2.0, 30.0)
    assert (
        Progress(phase="a", step=0, total=0, epochs=8).epoch,
        progress.model_copy(update={"rate": 0.0}).seconds_left,
    ) == (
        0.0,
        None,
    )
    assert Progress(phase="a", step=0, total=1, epochs=8).seconds_left is None


def test_a_segment_counts_the_seconds_of_all_ranks():
    assert segment(3, world_size=4).device_seconds == 12 and segment(3).device_seconds == 3
    assert [segment(device=device).on_gpu for device in ("cuda", "cuda:1", "cpu")] == [True, True, False]
    assert (segment().devices, segment().steps, segment().evaluations) == (1, None, {})


def test_a_distribution_has_a_name():
    assert DistributionRecord(name="a", version="", sha256="").name == "a"
    with pytest.raises(ValueError, match="at least 1 character"):
        DistributionRecord(name="", version="", sha256="")


def test_an_outcome_is_of_now():
    outcome = Outcome.now("failed", "why", {"a": Need(what="no weights", how="get them")})
    assert abs(datetime.now(UTC) - outcome.finished) < timedelta(minutes=1)
    assert (outcome.state, outcome.error, str(outcome.needs["a"])) == ("failed", "why", "no weights: get them")
    assert (Outcome.now("done").error, Outcome.now("done").needs) == (None, {})


def test_records_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "new" / "a.json"
    RECORD.save(path)
    assert EvaluationRecord.load(path) == RECORD and path.read_text().startswith('{\n  "evaluation"')
    with pytest.raises(FileNotFoundError):
        EvaluationRecord.load(tmp_path / "b.json")
    for change, says in (
        ({"value": "x"}, "quantities.accuracy.value: Input"),
        ({"more": 1}, "quantities.accuracy.more: "),
    ):
        document = json.loads(path.read_text())
        document["quantities"]["accuracy"] |= change
        path.with_name("c.json").write_text(json.dumps(document))
        with pytest.raises(StoreError, match=f"corrupted record .*c.json: {says}"):
            EvaluationRecord.load(path.with_name("c.json"))
    with pytest.raises(ValueError, match="frozen"):
        RECORD.seconds = 2.0


@pytest.mark.parametrize(
    "field", [{"seconds": 1e308}, {"seconds": -1.0}, {"world_size": 0}, {"world_size": 10**15}, {"devices": -1},
              {"training_seconds": 1e308}, {"first_step_seconds": -5.0}, {"energy_joules": 1e300},
              {"evaluations": {"accuracy-0123abcd": 1e308}}, {"started": "2026-01-01T00:00:00"}],
)  # fmt: skip
def test_a_cost_that_no_worker_has_is_refused(tmp_path, field):
    document = json.loads(segment().content()) | field
    (tmp_path / "1.json").write_text(json.dumps(document))
    with pytest.raises(StoreError, match=rf"1\.json: {next(iter(field))}"):
        Segment.load(tmp_path / "1.json")
