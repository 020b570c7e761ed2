"""Runs one evaluation and writes its record."""

import time

from harness.evaluation.base import Findings, Subject
from harness.spec.evaluations import Evaluation
from harness.spec.resolve import resolve
from harness.store.files import sha256_of
from harness.store.records import EvaluationRecord


def measure(evaluation: Evaluation, subject: Subject) -> EvaluationRecord:
    """Evaluate the subject and return the record, with the hash of every artefact. Every rank has to take part."""
    evaluate = resolve(evaluation.implementation)
    begun = time.monotonic()
    findings: Findings = evaluate(evaluation, subject)
    return EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"),
        quantities=findings.quantities,
        details=findings.details,
        artefacts=subject.world.told(lambda: {p.name: sha256_of(p) for p in sorted(subject.artefacts.glob("*.npy"))}),
        weights_sha256=subject.weights_sha256,
        seconds=round(time.monotonic() - begun, 3),
    )
