"""Where the files of runs lie, and the states that they describe."""

import json
from datetime import UTC, datetime

import pytest
from toy_paper import DENOISING, HYBRID

from harness.config.evaluations import Accuracy, Likelihood
from harness.store.files import StoreError
from harness.store.lease import Lease
from harness.store.records import (
    EvaluationRecord,
    Measurement,
    Outcome,
    Segment,
    TrainingRecord,
)
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState
from harness.store.usage import Usage, usage_of

WHERE = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}


RECORD = EvaluationRecord(
    evaluation=Accuracy().model_dump(mode="json"), quantities={"accuracy": Measurement(value=1.5, n=7)},
    details={"a": 1}, weights_sha256="0" * 64, seconds=1.0,
)  # fmt: skip


HASHES = {"weights_sha256": "0" * 64, "data_sha256": "1" * 64}


def segment(seconds=1.0, **fields):
    return Segment(started=datetime.now(UTC), seconds=seconds, **WHERE | fields)


@pytest.fixture
def results(tmp_path):
    results = Results(tmp_path)
    results.directory(HYBRID).request(HYBRID, [Accuracy(), Likelihood()])
    return results


def test_results_lie_at_fixed_places(tmp_path):
    own = Results(tmp_path)
    assert [own.runs, own.report, own.cache, own.superseded] == [
        tmp_path / name for name in ("runs", "report", "cache", "superseded")
    ]
    assert own.label == "" and Results(tmp_path, tmp_path / "x", "b").report == tmp_path / "x"
    assert Results(tmp_path, label="b").label == "b" and own.directory(HYBRID).path == tmp_path / "runs" / HYBRID.id


def test_every_file_of_a_run_has_its_name(results):
    directory = results.directory(HYBRID)
    names = {name: getattr(directory, name).relative_to(directory.path).as_posix() for name in (
        "config", "requests", "evaluations", "training", "outcome", "progress", "segments", "metrics", "checkpoints",
        "weights", "snapshots", "log", "previews",
    )}  # fmt: skip
    assert names == {
        "config": "config.json", "requests": "requests", "evaluations": "evaluations", "training": "training.json",
        "outcome": "outcome.json", "progress": "progress.json", "segments": "segments", "metrics": "metrics.jsonl",
        "checkpoints": "checkpoints", "weights": "weights.safetensors", "snapshots": "snapshots", "log": "log.txt",
        "previews": "previews",
    }  # fmt: skip
    assert directory.snapshot(10) == directory.weights
    assert directory.snapshot(9) == directory.snapshots / "9.safetensors"
    assert directory.record_path(Accuracy()) == directory.evaluations / f"{Accuracy().id}.json"
    assert directory.artefacts(Accuracy()) == directory.evaluations / Accuracy().id


def test_a_run_is_done_when_it_is_trained_and_all_that_is_wanted_is_measured(results):
    directory = results.directory(HYBRID)
    assert directory.is_requested(Accuracy()) and not directory.is_requested(Accuracy(split="train"))
    assert [directory.training_record(), directory.last_outcome(), directory.last_progress()] == [None] * 3
    assert directory.state([]) is RunState.PENDING
    TrainingRecord(iterations=1, parameters=2, **HASHES).save(directory.training)
    assert directory.state([]) is RunState.DONE and directory.state([Accuracy()]) is RunState.PENDING
    RECORD.save(directory.record_path(Accuracy()))
    segment(evaluations={Accuracy().id: 1.0}).save(directory.segments / "1.json")
    assert directory.missing() == [Likelihood()]
    assert directory.state([Accuracy()]) is directory.state([]) is RunState.DONE
    assert directory.state() is directory.state([Likelihood()]) is RunState.INTERRUPTED
    assert directory.record(Accuracy()) == RECORD and directory.record(Likelihood()) is None
    with Lease.acquire(directory.path):
        assert directory.state() is RunState.RUNNING
        assert directory.state([Accuracy()]) is RunState.DONE
    assert results.directory(DENOISING).state() is RunState.MISSING
    directory.outcome.write_text("{")
    assert not directory.is_cancelled()


def test_a_run_of_earlier_semantics_is_outdated(results):
    path = results.directory(HYBRID).config
    document = json.loads(path.read_text())
    assert (document["id"], document["name"]) == (HYBRID.id, "hybrid")
    earlier = HYBRID.with_config(semantics=1)
    results.directory(earlier).request(earlier, [])
    with pytest.raises(StoreError, match=r"is from another version of this code \(semantics 1, 2 now\); it is kept"):
        results.directory(earlier).run()


def test_the_reader_reads_each_record_once(results):
    directory, reader = results.directory(HYBRID), results.reader
    assert results.reader is reader
    RECORD.save(directory.record_path(Accuracy()))
    TrainingRecord(iterations=1, parameters=2, **HASHES).save(directory.training)
    segment(5, evaluations={Accuracy().id: 1.0}).save(directory.segments / "1.json")
    Outcome.now("done").save(directory.outcome)
    one, other = HYBRID.id, Accuracy().id
    assert reader.id_of(HYBRID, 2) == HYBRID.but(seed=2).id and reader.id_of(HYBRID, 0) == HYBRID.id
    assert reader.id_of(HYBRID, 2) == HYBRID.but(seed=2).id and reader.id_of(DENOISING, 1) == DENOISING.but(seed=1).id
    assert reader.exists(one) and not reader.exists("0" * 12)
    for _ in range(2):
        assert reader.quantities(one, other) == {"accuracy": (1.5, 7)}
        assert [segment.seconds for segment in reader.segments(one)] == [5]
        assert reader.outcome(one).state == "done" and reader.outcome("0" * 12) is None
        assert reader.quantities(one, Likelihood().id) == {}
        directory.record_path(Accuracy()).write_text("{")
        directory.outcome.write_text("{")
        (directory.segments / "1.json").write_text("{")
    assert reader.details(one, other) == {"a": 1} and reader.details(one, Likelihood().id) == {}
    later = Results(results.root).reader
    for _ in range(2):
        for ask in (lambda: later.quantities(one, other), lambda: later.segments(one), lambda: later.outcome(one)):
            with pytest.raises(StoreError, match="corrupted record"):
                ask()
        RECORD.save(directory.record_path(Accuracy()))


def test_the_cost_of_unreadable_segments_is_not_known(results):
    directory = results.directory(HYBRID)
    assert usage_of(directory) == Usage()
    segment(1800, world_size=4).save(directory.segments / "1.json")
    assert usage_of(directory) == Usage(core_hours=2.0)
    assert usage_of(directory).to_json() == {
        "gpu_hours": 0, "core_hours": 2.0, "energy_joules": None, "energy_gpu_hours": 0
    }  # fmt: skip
    (directory.segments / "2.json").write_text("{")
    assert usage_of(directory) == Usage()
    assert Usage(1 / 3, energy_joules=2 / 3).to_json()["gpu_hours"] == 0.333333


def test_directories_are_listed_by_id(results):
    for run in (DENOISING, HYBRID.but(seed=1)):
        results.directory(run).request(run, [])
    (results.runs / "0" / "requests").mkdir(parents=True)
    ids = [directory.id for directory in results.all()]
    assert ids == sorted([HYBRID.id, DENOISING.id, HYBRID.but(seed=1).id])
    assert all(type(directory) is RunDirectory for directory in results.all())
