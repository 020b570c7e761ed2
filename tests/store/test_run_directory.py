"""Run directories: hashes, requests, states, and damage."""

import json
from datetime import UTC, datetime

import pytest
from toy_paper import HYBRID

from harness.config.base import sha256_of_json
from harness.config.evaluations import Accuracy, Generation
from harness.errors import SpecError
from harness.store.files import StoreError
from harness.store.records import Outcome, Segment
from harness.store.requests import ForeignError, OutdatedError
from harness.store.results import Results
from harness.store.run_directory import RunState


@pytest.fixture
def directory(tmp_path):
    found = Results(tmp_path).directory(HYBRID)
    found.request(HYBRID, [Accuracy()])
    return found


def test_a_run_is_read_back(directory):
    assert directory.id == HYBRID.id
    assert directory.run() == HYBRID
    assert directory.run().name == "hybrid"
    assert directory.requested() == [Accuracy()]
    assert directory.missing() == [Accuracy()]
    assert directory.state() is RunState.PENDING


def test_asking_again_changes_nothing_and_more_adds(directory):
    before = directory.config.stat().st_mtime_ns
    directory.request(HYBRID, [Accuracy(), Generation(samples=10)])
    assert directory.config.stat().st_mtime_ns == before
    assert len(directory.requested()) == 2


def segment(seconds=1.0):
    return Segment(
        started=datetime.now(UTC), seconds=seconds, host="here", device="cpu", threads=1, commit=None, dirty=None,
        versions={},
    )  # fmt: skip


def test_segments_are_in_the_order_of_their_numbers(directory):
    """10 and 11 come after 9, not after 1."""
    for number in (11, 3, 10, 1, 7, 2, 9, 5, 4, 8, 6):
        segment(seconds=number).save(directory.segments / f"{number}.json")
    assert [stay.seconds for stay in directory.all_segments()] == list(range(1, 12))


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        ("cancelled", RunState.CANCELLED),
        ("failed", RunState.FAILED),
        ("done", RunState.INTERRUPTED),  # an evaluation that was requested later
        (None, RunState.INTERRUPTED),
    ],
)
def test_an_unfinished_run_is_in_the_state_of_its_outcome(directory, ended, state):
    segment().save(directory.segments / "1.json")
    if ended:
        Outcome.now(ended).save(directory.outcome)
    assert directory.state() is state
    assert directory.is_cancelled() == (ended == "cancelled")


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.write_text("{"),
        lambda d: d.write_text("[]"),
        lambda d: d.write_text(json.dumps({"name": "x", "config": {}})),
        lambda d: d.write_text(d.read_text().replace('"alpha": 10.0', '"alpha": 11.0')),
    ],
)
def test_a_corrupted_configuration_is_named(directory, damage):
    before = directory.config.read_text()
    damage(directory.config)
    assert directory.config.read_text() != before
    with pytest.raises(StoreError, match=r"corrupted record .*config.json"):
        directory.run()


def test_a_renamed_request_is_refused(directory):
    (path,) = directory.requests.iterdir()
    path.rename(path.with_name("accuracy-00000000.json"))
    with pytest.raises(StoreError, match="corrupted record"):
        directory.requested()
    (directory.requests / "accuracy-00000000.json").write_text("[]")
    with pytest.raises(StoreError, match=r"corrupted record .*: the evaluation does not match the file name"):
        directory.requested()


def test_runs_are_found_by_the_beginning_of_their_id(tmp_path, directory):
    results, other = Results(tmp_path), HYBRID.but(seed=1)
    results.directory(other).request(other, [])
    assert results.find(HYBRID.id[:6]).id == HYBRID.id
    with pytest.raises(SpecError, match="matches several runs"):
        results.find("")
    with pytest.raises(SpecError, match="unknown run 'zzz'"):
        results.find("zzz")


def rewrite(directory, change):
    """Rewrite the directory as another version of the code would: intact, and named by the hash of its own content."""
    document = json.loads(directory.config.read_text())
    change(document["config"])
    old = directory.path.with_name(sha256_of_json(document["config"])[:12])
    directory.path.rename(old)
    (old / "config.json").write_text(json.dumps(document))
    return type(directory)(old)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["training"].pop("eps"),
        lambda config: config["training"].update(field_of_tomorrow=1),
        lambda config: config["method"].update(revision=2),
    ],
)
def test_a_run_of_another_version_is_kept_and_never_taken_for_ours(directory, change):
    old = rewrite(directory, change)
    where = rf"^\S+/{old.id} is from another version of this code \(.+\); it is kept, 'run' starts a new one$"
    with pytest.raises(OutdatedError, match=where):
        old.run()
    assert old.config.exists()


def test_a_run_that_needs_a_kind_that_is_not_installed_says_so(directory):
    foreign = rewrite(directory, lambda config: config["method"].update(kind="mixup"))
    with pytest.raises(ForeignError, match="needs the kind 'mixup', which no installed paper offers"):
        foreign.run()
    assert foreign.config.exists()


def test_requests_of_another_version_are_left_aside(directory):
    stored = {"kind": "accuracy", "split": "test"}
    path = directory.requests / f"accuracy-{sha256_of_json(stored)[:8]}.json"
    path.write_text(json.dumps(stored))
    assert directory.requested() == [Accuracy()]
