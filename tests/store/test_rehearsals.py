"""What a rehearsal lets expect of the whole run."""

import shutil
from datetime import UTC, datetime

import pytest
from toy_paper import HYBRID

from harness.config.evaluations import Accuracy, Likelihood
from harness.errors import SpecError
from harness.store.lease import Lease
from harness.store.records import (
    Outcome,
)
from harness.store.rehearsals import Problem, RehearsalRecord, Rehearsals, RehearsedEvaluation
from harness.store.run_directory import RunState

EVALUATION = RehearsedEvaluation(
    evaluation={}, passes=1, full_passes=9, chain=1, full_chain=1, first_seconds=2.0, seconds=1.0, full_seconds=90.0
)


RECORD = RehearsalRecord(
    run="0" * 12, started=datetime.now(UTC), seconds=60.0, host="a", device="cpu", device_name="b", threads=1,
    world_size=1, commit=None, dirty=None, versions={}, iterations=1000, epochs=20, opening_seconds=5.0,
    first_step_seconds=3.0, step_seconds=0.5, validation_seconds=10.0, checkpoint_share=0.02,
    evaluations={"a": EVALUATION, "b": EVALUATION},
)  # fmt: skip


def test_a_step_has_its_share_of_validation_and_checkpoints():
    assert RECORD.training_step_seconds == pytest.approx((0.5 + 20 * 10 / 1000) * 1.02)


def test_the_whole_run_takes_opening_training_and_evaluations():
    assert RECORD.expected_seconds == pytest.approx(5 + 3 + 1000 * 0.7 * 1.02 + 2 * 90)


def test_of_a_training_that_was_not_reached_nothing_is_expected():
    none = RECORD.model_copy(update={"step_seconds": None})
    assert (none.training_step_seconds, none.expected_seconds) == (None, None)


WHERE = {"host": "a", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}}


REHEARSAL = RehearsalRecord(
    run=HYBRID.id, started=datetime.now(UTC), seconds=1.0, device_name="b", world_size=1, iterations=10, epochs=2,
    **WHERE,
)  # fmt: skip


def test_a_rehearsal_is_asked_anew_unless_it_is_running(tmp_path):
    rehearsals = Rehearsals(tmp_path)
    assert (rehearsals.root, rehearsals.cache) == (tmp_path, tmp_path / "cache")
    directory = rehearsals.directory(HYBRID)
    assert directory.path == tmp_path / "rehearsals" / HYBRID.id and directory.scratch == directory.path / "scratch"
    assert directory.state() is RunState.MISSING and list(rehearsals.records()) == []
    directory.request(HYBRID, [Accuracy()])
    assert directory.state() is RunState.PENDING and directory.record_of_rehearsal() is None
    with Lease.acquire(directory.path):
        assert directory.state() is RunState.RUNNING
        directory.log.write_text("x")
        directory.request(HYBRID, [Likelihood()])
        assert directory.log.exists() and len(directory.requested()) == 2
    REHEARSAL.save(directory.rehearsal)
    assert directory.state() is RunState.DONE
    assert [(found.path, record) for found, record in rehearsals.records()] == [(directory.path, REHEARSAL)]
    problem = Problem(part="training", what="no memory", mend="a smaller batch")
    REHEARSAL.model_copy(update={"problems": [problem]}).save(directory.rehearsal)
    assert directory.state() is RunState.FAILED
    Outcome.now("done").save(directory.outcome)
    directory.request(HYBRID, [Likelihood()])
    assert not any(path.exists() for path in (directory.rehearsal, directory.outcome, directory.log))
    assert directory.requested() == [Likelihood()] and directory.state() is RunState.PENDING
    directory.rehearsal.write_text("{")
    assert list(rehearsals.records()) == []
    for number in (4, 1, 5, 0, 3, 2):
        REHEARSAL.save(rehearsals.runs / (12 * f"{number}") / "rehearsal.json")
    assert [found.id[0] for found, _ in rehearsals.records()] == ["0", "1", "2", "3", "4", "5"]
    for number in range(6):
        shutil.rmtree(rehearsals.runs / (12 * f"{number}"))
    found = rehearsals.find(HYBRID.id[:4])
    assert type(found) is type(directory) and found.path == directory.path
    with pytest.raises(SpecError, match="unknown run 'x'"):
        rehearsals.find("x")


def test_a_problem_tells_its_mend_if_there_is_one():
    assert str(Problem(part="a", what="b", mend="c")) == "a: b; c" and str(Problem(part="a", what="b")) == "a: b"


def test_what_was_not_reached_costs_nothing():
    assert (REHEARSAL.training_step_seconds, REHEARSAL.expected_seconds, REHEARSAL.on_gpu) == (None, None, False)
    bare = REHEARSAL.model_copy(update={"step_seconds": 2.0})
    assert (bare.training_step_seconds, bare.expected_seconds) == (2.0, 20.0)
    assert REHEARSAL.model_copy(update={"device": "cuda:0"}).on_gpu
