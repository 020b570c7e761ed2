"""Runs one evaluation and writes its record."""

import time
from typing import Any

from harness.config.evaluations import Evaluation
from harness.config.resolve import resolve
from harness.errors import SpecError, given
from harness.evaluation.base import EvaluationResult, Subject
from harness.store.files import sha256_of
from harness.store.names import ARRAY, named
from harness.store.records import EvaluationRecord, Measurement


def measure(evaluation: Evaluation, subject: Subject) -> EvaluationRecord:
    """Evaluate the subject and return the record, with the hash of every artefact. Every rank must call it.

    Raises `SpecError` if the implementation does not return the quantities that it declares.
    """
    evaluate = resolve(evaluation.implementation)
    begun = time.monotonic()
    findings = _checked(evaluate(evaluation, subject), evaluation, subject)
    artefacts = subject.comm.on_first_rank(lambda: _close(subject))
    return EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"),
        quantities=findings.quantities,
        details=findings.details,
        artefacts=artefacts,
        weights_sha256=subject.weights_sha256,
        seconds=round(time.monotonic() - begun, 3),
    )


def _close(subject: Subject) -> dict[str, str]:
    """Delete the parts of the work, and return the hashes of the arrays."""
    subject.discard_shards()
    return {path.name: sha256_of(path) for path in named(subject.artefacts, ARRAY)}


def _checked(found: Any, evaluation: Evaluation, subject: Subject) -> EvaluationResult:
    """Check that a result has every quantity named in the labels of its evaluation, and return it."""
    of = f"evaluation '{evaluation.kind}': {evaluation.implementation}"
    if not isinstance(found, EvaluationResult):
        raise SpecError(f"{of} returns {given(found)}, not an EvaluationResult")
    for name, measured in found.quantities.items():
        if not isinstance(measured, Measurement):
            raise SpecError(f"{of} returns {given(measured)} as {name}, not a Measurement")
    if missing := evaluation.labels(subject.config.data).keys() - found.quantities.keys():
        measures = ", ".join(sorted(found.quantities)) or "nothing"
        raise SpecError(
            f"{of} does not measure {', '.join(sorted(missing))}, which its labels name: it measures {measures}"
        )
    return found
