"""The result of an evaluation is checked against the quantities it declares."""

import pytest

from harness.config.evaluations import Accuracy
from harness.errors import SpecError
from harness.evaluation.base import EvaluationResult
from harness.evaluation.run import measure
from harness.store.records import Measurement

GOOD = Measurement(value=90.0, n=360)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"accuracy": 90.0}, "accuracy:evaluate returns {'accuracy': 90.0} (dict), not an EvaluationResult"),
        (EvaluationResult({"accuracy": 90.0}), "returns 90.0 as accuracy, not a Measurement"),
        (EvaluationResult({"top1": GOOD}), "does not measure accuracy, which its labels name: it measures top1"),
        (EvaluationResult({}), "it measures nothing"),
    ],
)
def test_what_is_not_what_was_promised_is_refused(subject, monkeypatch, found, says):
    monkeypatch.setattr("harness.evaluation.run.resolve", lambda name: lambda evaluation, subject: found)
    with pytest.raises(SpecError) as caught:
        measure(Accuracy(), subject)
    assert str(caught.value).startswith("evaluation 'accuracy': harness.evaluation.") and says in str(caught.value)


def test_more_may_be_found_than_was_promised(subject, monkeypatch):
    found = EvaluationResult({"accuracy": GOOD, "top2": GOOD})
    monkeypatch.setattr("harness.evaluation.run.resolve", lambda name: lambda evaluation, subject: found)
    assert measure(Accuracy(), subject).quantities == found.quantities
