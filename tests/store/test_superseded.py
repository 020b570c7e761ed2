"""Superseded runs: moved aside whole, once, and requested again with all their evaluations."""

from datetime import UTC, datetime

import pytest
from toy_paper import HYBRID

from harness.config.evaluations import Accuracy, Calibration, Likelihood
from harness.store import code
from harness.store.distributions import Installed
from harness.store.lease import Lease
from harness.store.records import DistributionRecord, Segment
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState
from harness.store.superseded import restore_requests, supersede


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Results with a run that was measured by an earlier state of the code."""
    monkeypatch.setattr(code, "installed", lambda name: Installed(name, "2", {}, taken="second"))
    results = Results(tmp_path)
    results.directory(HYBRID).request(HYBRID, [Accuracy(), Calibration()])
    measure(results, "first")
    return results


def measure(results, sha256):
    where = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}
    codes = (DistributionRecord(name="mixup", version="1", sha256=sha256),)
    segment = Segment(started=datetime.now(UTC), seconds=1.0, first_step=0, steps=9, distributions=codes, **where)
    segment.save(results.directory(HYBRID).segments / "1.json")


def aside(results):
    return sorted(path.name for path in results.superseded.glob("*"))


def test_a_stale_run_is_moved_whole_and_begun_with_all_that_was_asked(results):
    directory = results.directory(HYBRID)
    files = sorted(path.relative_to(directory.path) for path in directory.path.rglob("*.json"))
    assert supersede(results, directory) and not directory.path.exists()
    moved = RunDirectory(results.superseded / f"{HYBRID.id}.1")
    assert sorted(path.relative_to(moved.path) for path in moved.path.rglob("*.json")) == files
    assert results.all() == []
    # After a kill here the same command finds no stale run, but must still request it again.
    assert supersede(results, directory) and not directory.path.exists()
    restore_requests(results, HYBRID)
    assert directory.state() is RunState.PENDING and directory.run() == HYBRID
    assert sorted(e.kind for e in directory.requested()) == ["accuracy", "calibration"]
    assert supersede(results, directory) and directory.config.exists(), "the new run is kept"
    assert aside(results) == [f"{HYBRID.id}.1"]


def test_current_results_are_kept_and_those_set_aside_are_numbered(results):
    directory = results.directory(HYBRID)
    for _ in range(2):
        assert supersede(results, directory)
        restore_requests(results, HYBRID)
        measure(results, "first")
    measure(results, "second")
    assert supersede(results, directory) and directory.config.exists()
    assert aside(results) == [f"{HYBRID.id}.1", f"{HYBRID.id}.2"]


def test_of_a_run_that_was_set_aside_eleven_times_the_last_one_is_asked_again(results):
    directory = results.directory(HYBRID)
    for number in range(1, 12):
        if number == 11:
            directory.request(HYBRID, [Likelihood()])
        assert supersede(results, directory)
        restore_requests(results, HYBRID)
        measure(results, "first")
    assert set(aside(results)) == {f"{HYBRID.id}.{number}" for number in range(1, 12)}
    assert sorted(e.kind for e in directory.requested()) == ["accuracy", "calibration", "likelihood"]


def test_a_run_that_a_worker_holds_is_left_alone(results):
    directory = results.directory(HYBRID)
    lease = Lease.acquire(directory.path)
    with lease:
        assert not supersede(results, directory) and directory.segments.exists()
    assert supersede(results, directory) and aside(results) == [f"{HYBRID.id}.1"]
    restore_requests(results, HYBRID)
    with Lease.acquire(directory.path):
        assert directory.state() is RunState.RUNNING


def test_of_a_run_that_was_never_set_aside_nothing_is_asked(tmp_path):
    results = Results(tmp_path)
    restore_requests(results, HYBRID)
    assert supersede(results, results.directory(HYBRID)) and results.all() == [] and aside(results) == []
