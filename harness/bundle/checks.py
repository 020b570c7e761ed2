"""Validates the files of a bundle: each must be a record of its kind that matches its name."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.bundle.manifest import RECORDS
from harness.config.base import sha256_of_json
from harness.config.evaluations import Evaluation
from harness.printable import UNSAFE
from harness.regular_files import read_regular
from harness.store.arrays import load_array
from harness.store.curves import numbers_of
from harness.store.decisions import Decision
from harness.store.documents import leaves_of, parse_json
from harness.store.rechecks import RecheckRecord
from harness.store.records import EvaluationRecord, Outcome, Record, Segment, TrainingRecord


def check(kind: str, name: str, copy: Path) -> None:
    """Raise `ValueError` if the copy of a file of this kind and name is invalid."""
    if kind == "array":
        _check_array(copy)
    elif kind == "curve":
        _check_curve(copy)
    else:
        check_record(kind, name, read_regular(copy))


def check_record(kind: str, name: str, content: bytes) -> None:
    """Raise `ValueError` if the content of a record of this kind and name is invalid. Others may have any."""
    match = RECORDS[kind].fullmatch(name)
    assert match is not None
    if kind not in ("array", "curve", "report", "log"):
        _check_record(kind, parse_json(content), match.groupdict())


def _check_record(kind: str, document: Any, named: dict[str, str | None]) -> None:
    for text in leaves_of(document):
        if isinstance(text, str) and UNSAFE.search(text):
            raise ValueError("it contains control characters")
    if kind == "config":
        _check_config(document, named["run"])
    elif kind == "request":
        _check_evaluation(document, named["evaluation"])
    else:
        record = _validated(kind, document)
        if isinstance(record, EvaluationRecord):
            _check_evaluation(record.evaluation, named["evaluation"])
        if isinstance(record, Decision) and record.id != named["decision"]:
            raise ValueError(f"it is decision {record.id}, but its name is another")


def _validated(kind: str, document: Any) -> Record:
    types: dict[str, type[Record]] = {
        "training": TrainingRecord,
        "outcome": Outcome,
        "segment": Segment,
        "evaluation": EvaluationRecord,
        "decision": Decision,
        "recheck": RecheckRecord,
    }
    try:
        return types[kind].model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, problem['loc']))[:100]}: {problem['msg']}") from None


def _check_config(document: Any, run: str | None) -> None:
    if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
        raise ValueError("it has no named configuration")
    if not isinstance(document.get("name"), str) or len(document["name"]) > 200:
        raise ValueError("it has no named configuration")
    found = sha256_of_json(document["config"])[:12]
    if found != run or document.get("id") != run:
        raise ValueError(f"it is the configuration of run {found}, but its folder has another name")


def _check_evaluation(document: Any, evaluation: str | None) -> None:
    if not isinstance(document, dict) or evaluation != Evaluation.id_of_stored(document):
        raise ValueError("its name does not match its evaluation")


def _check_curve(copy: Path) -> None:
    with open(copy, "rb") as file:
        for line in file:
            if numbers_of(line) is None:
                raise ValueError("a line is not a point of a curve")


def _check_array(copy: Path) -> None:
    """Check an array by its header, without trusting the size that it claims."""
    array = load_array(copy, mapped=True)
    if not 1 <= array.ndim <= 4:
        raise ValueError(f"it claims the shape {array.shape}, which no array of a run has")
