"""What a rehearsal lets expect of the whole run."""

from datetime import UTC, datetime

import pytest

from harness.store.rehearsals import RehearsalRecord, RehearsedEvaluation

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
