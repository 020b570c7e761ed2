"""A record counts only if its name, its weights and a segment vouch for it; everything else is named."""

import json
import shutil
from datetime import UTC, datetime

import pytest
from toy_paper import DENOISING, HYBRID
from vouching import vouch

from harness.config.evaluations import Accuracy, Calibration
from harness.store.files import DamagedError, StoreError, sha256_of
from harness.store.records import EvaluationRecord, Measurement, Segment, TrainingRecord
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.store.vouching import UnvouchedError

HALF = Accuracy(after=0.5)
SEGMENT = {"started": datetime.now(UTC), "seconds": 1.0, "host": "a", "device": "cpu", "threads": 1}
SEGMENT |= {"commit": None, "dirty": None, "versions": {}}


def record(directory, evaluation, weights):
    found = EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"), quantities={"accuracy": Measurement(value=15.3, n=7)},
        weights_sha256=weights, seconds=1.0,
    )  # fmt: skip
    found.save(directory.record_path(evaluation))
    return found


@pytest.fixture
def directory(tmp_path):
    """A run whose last worker recorded the hashes of everything."""
    directory = Results(tmp_path).directory(HYBRID)
    directory.request(HYBRID, [Accuracy(), HALF])
    training = TrainingRecord(
        iterations=10, parameters=1, weights_sha256="a" * 64, data_sha256="d" * 64, snapshots={5: "b" * 64}
    )
    training.save(directory.training)
    record(directory, Accuracy(), "a" * 64)
    record(directory, HALF, "b" * 64)
    hashes = {path.stem: sha256_of(path) for path in directory.evaluations.glob("*.json")}
    Segment(
        **SEGMENT, evaluations=dict.fromkeys(hashes, 1.0), records=hashes,
        training_record=sha256_of(directory.training),
    ).save(directory.segments / "1.json")  # fmt: skip
    return directory


def change(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def edited(directory):
    change(directory.record_path(Accuracy()), quantities={"accuracy": {"value": 99.9, "n": 7}})
    return "edited"


def of_other_weights(directory):
    change(directory.record_path(Accuracy()), weights_sha256="b" * 64)
    return "other weights"


def of_the_end_instead_of_the_half(directory):
    record(directory, HALF, "a" * 64)
    record(directory, Accuracy(), "b" * 64)
    return "other weights"


def of_another_evaluation(directory):
    shutil.copy(directory.record_path(HALF), directory.record_path(Accuracy()))
    return "another evaluation"


def without_a_segment(directory):
    shutil.rmtree(directory.segments)
    return "no segment"


def mentioned_by_no_segment(directory):
    change(directory.segments / "1.json", evaluations={}, records={})
    return "no segment"


def without_training(directory):
    directory.training.unlink()
    return "not trained"


def mentioned_by_a_damaged_segment(directory):
    (directory.segments / "1.json").write_text("{")
    return None


def damaged(directory):
    directory.record_path(Accuracy()).write_bytes(b"")
    return None


DAMAGES = [
    edited, of_other_weights, of_the_end_instead_of_the_half, of_another_evaluation, without_a_segment,
    mentioned_by_no_segment, without_training, mentioned_by_a_damaged_segment, damaged,
]  # fmt: skip


def test_records_of_a_worker_count(directory):
    assert directory.state() is RunState.DONE
    assert directory.missing() == directory.problems() == []
    assert directory.record(HALF).weights_sha256 == "b" * 64
    assert len(directory.counting_records()) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_other_records_count_as_not_measured_and_are_named(directory, damage):
    what = damage(directory)
    assert Accuracy() in directory.missing()
    assert directory.state() is not RunState.DONE
    assert directory.record_path(Accuracy()) not in directory.counting_records()
    reader = Results(directory.path.parents[1]).reader
    for ask in (lambda: directory.record(Accuracy()), lambda: reader.quantities(HYBRID.id, Accuracy().id)):
        with pytest.raises(StoreError) as raised:
            ask()
        if what is None:
            assert isinstance(raised.value, DamagedError)
        else:
            assert raised.value.what == what
            assert str(raised.value).endswith(f": 'python -m harness retry {HYBRID.id}' measures it again")
    assert [str(problem) for problem in directory.problems()].count(str(raised.value)) >= 1


def test_a_record_measured_again_counts(directory):
    """The value differs from the first one, for example on another machine; both segments stay."""
    edited(directory)
    path = directory.record_path(Accuracy())
    again = {Accuracy().id: sha256_of(path)}
    Segment(**SEGMENT, evaluations={Accuracy().id: 1.0}, records=again).save(directory.segments / "2.json")
    assert directory.missing() == []


def test_segments_of_earlier_versions_vouch_without_hashes(directory):
    earlier = Segment(**SEGMENT).model_dump(mode="json", exclude={"evaluations", "records", "training_record"})
    (directory.segments / "1.json").write_text(json.dumps(earlier))
    assert directory.missing() == []
    change(directory.segments / "1.json", evaluations={HALF.id: 1.0})
    assert directory.missing() == [Accuracy()]


def test_a_training_record_of_another_run_is_damaged(directory):
    other = Results(directory.path.parents[1]).directory(DENOISING)
    other.request(DENOISING, [])
    vouch(other)
    shutil.copy(other.training, directory.training)
    assert directory.state() is RunState.UNREADABLE
    with pytest.raises(DamagedError, match=r"training.json: it is not the record .*; delete this file and run again"):
        directory.vouchers()
    directory.training.unlink()
    assert directory.state() is RunState.INTERRUPTED


def test_kinds_without_a_request_are_kept(directory):
    record(directory, Calibration(), "a" * 64)
    change(directory.segments / "1.json", evaluations={Calibration().id: 1.0}, records={})
    assert directory.counting_records() == [directory.record_path(Calibration())]


def test_an_unvouched_error_names_the_file(directory):
    edited(directory)
    with pytest.raises(UnvouchedError, match=str(directory.record_path(Accuracy()))):
        directory.record(Accuracy())
