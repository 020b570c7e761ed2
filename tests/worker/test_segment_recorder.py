"""Segments: all time of a worker counts, whatever it did and however it ended."""

import json
import time

import pytest
import torch
from toy_paper import HYBRID

from harness.store.files import StoreError
from harness.store.results import Results
from harness.worker import segment_recorder as module
from harness.worker.segment_recorder import SegmentRecorder

CPU = torch.device("cpu")


@pytest.fixture
def directory(tmp_path):
    found = Results(tmp_path).directory(HYBRID)
    found.request(HYBRID, [])
    return found


def segment(directory):
    return directory.all_segments()[-1]


def test_a_killed_segment_counts_as_far_as_it_was_written(directory, monkeypatch):
    """Nothing is closed here, as when a worker is killed."""
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    recorder = SegmentRecorder(directory, CPU)
    recorder.begin_training(7, "resident")
    time.sleep(0.05)
    for step in (8, 9, 10):
        recorder.trained_to(step)
    found = segment(directory)
    assert (found.first_step, found.steps, found.loader) == (7, 3, "resident")
    assert 0.05 <= found.first_step_seconds <= found.training_seconds <= found.seconds
    assert found.device_name
    assert found.energy_joules is None


def test_the_first_step_is_timed_once(directory, monkeypatch):
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.0)
    recorder = SegmentRecorder(directory, CPU)
    recorder.begin_training(7, "resident")
    recorder.trained_to(8)
    first = segment(directory).first_step_seconds
    time.sleep(0.02)
    recorder.trained_to(9)
    found = segment(directory)
    assert (found.steps, found.first_step_seconds) == (2, first)
    assert found.training_seconds > first


def test_a_segment_that_only_measures_counts(directory):
    with SegmentRecorder(directory, CPU) as recorder:
        recorder.evaluated("accuracy-1", 1.5, "a" * 64)
        recorder.evaluated("size-2", 0.1, "b" * 64)
        assert segment(directory).evaluations == {"accuracy-1": 1.5, "size-2": 0.1}
        time.sleep(0.05)
    assert segment(directory).seconds >= 0.05
    assert segment(directory).steps is None


def test_a_failed_segment_counts_and_one_without_work_leaves_nothing(directory):
    with SegmentRecorder(directory, CPU):
        pass
    assert directory.all_segments() == []
    with pytest.raises(ValueError, match="boom"), SegmentRecorder(directory, CPU):
        raise ValueError("boom")
    assert len(directory.all_segments()) == 1


def test_ranks_add_up_their_energy_each_gpu_once(directory):
    recorder = SegmentRecorder(directory, CPU, world_size=3)
    recorder._uuid = "GPU-a"
    others = [("host", "GPU-b", 20.0), ("elsewhere", "GPU-b", 30.0), ("host", "GPU-b", 20.0)]
    recorder.gather_energy(lambda own: [("host", "GPU-a", 10.0), *others])
    recorder.keep()
    assert (segment(directory).energy_joules, segment(directory).devices) == (60.0, 3)
    recorder.gather_energy(lambda own: [*own, *others])
    recorder.keep()
    assert segment(directory).energy_joules is None
    assert segment(directory).device_seconds == 3 * segment(directory).seconds


def test_only_the_first_rank_writes(directory):
    with SegmentRecorder(directory, CPU, rank=1, world_size=2) as recorder:
        recorder.evaluated("accuracy-1", 1.5, "a" * 64)
    assert directory.all_segments() == []


def test_a_segment_after_which_no_number_is_left_is_named(directory):
    directory.segments.mkdir()
    (directory.segments / "999999999999.json").touch()
    with pytest.raises(StoreError, match=r"999999999999\.json is none of the harness's files, .*: delete it"):
        SegmentRecorder(directory, CPU)


def test_segments_of_earlier_versions_load(directory):
    directory.segments.mkdir()
    old = {
        "started": "2026-11-22T10:00:00Z", "seconds": 3600.0, "host": "a", "device": "cpu", "threads": 1,
        "commit": None, "dirty": None, "versions": {}, "first_step": 0, "loader": "resident (fits)",
    }  # fmt: skip
    (directory.segments / "1.json").write_text(json.dumps(old))
    assert segment(directory).device_seconds == 3600.0
    assert segment(directory).steps is None
