"""Validates the files of a bundle: each must be a record of its kind that matches its name."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from pydantic import ValidationError

from harness.bundle.manifest import RECORDS
from harness.config.base import sha256_of_json
from harness.config.evaluations import Evaluation
from harness.store.records import EvaluationRecord, Outcome, Record, Segment, TrainingRecord

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that a terminal interprets instead of showing, and lone surrogates."""
PRIMITIVE = "biuf"
"""The kinds of NumPy dtypes that are plain numbers."""


def check(kind: str, name: str, content: bytes) -> None:
    """Raise `ValueError` if a file of this kind and name is invalid."""
    match = RECORDS[kind].fullmatch(name)
    assert match is not None
    if kind == "array":
        _check_array(content)
    elif kind == "curve":
        _check_curve(content)
    elif kind not in ("report", "log"):
        _check_record(kind, _json(content), match.groupdict())


def _check_record(kind: str, document: Any, named: dict[str, str | None]) -> None:
    for text in _strings(document):
        if CONTROL.search(text):
            raise ValueError("it contains control characters")
    if kind == "config":
        _check_config(document, named["run"])
    elif kind == "request":
        _check_evaluation(document, named["evaluation"])
    else:
        record = _validated(kind, document)
        if isinstance(record, EvaluationRecord):
            _check_evaluation(record.evaluation, named["evaluation"])


def _validated(kind: str, document: Any) -> Record:
    types: dict[str, type[Record]] = {
        "training": TrainingRecord,
        "outcome": Outcome,
        "segment": Segment,
        "evaluation": EvaluationRecord,
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
    if not isinstance(document, dict) or evaluation != Evaluation.id_of(
        str(document.get("kind")), sha256_of_json(document)
    ):
        raise ValueError("its name does not match its evaluation")


def _check_curve(content: bytes) -> None:
    for line in content.splitlines():
        point = _json(line)
        if not isinstance(point, dict) or not all(type(value) in (int, float) for value in point.values()):
            raise ValueError("a line is not a point of a curve")


def _check_array(content: bytes) -> None:
    """Check an array by its header, without trusting the size that it claims."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError("it is not an array of format 1.0")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in PRIMITIVE or dtype.hasobject:
        raise ValueError(f"it contains {dtype}, not plain numbers")
    claimed = dtype.itemsize
    for length in shape:
        claimed *= length
    if not 1 <= len(shape) <= 4 or min(shape) < 0 or stream.tell() + claimed != len(content):
        raise ValueError(f"it claims the shape {str(shape)[:60]}, which does not match its size")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _strings(document: Any) -> Iterator[str]:
    """Yield all strings in a document, keys included."""
    todo: list[Any] = [document]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            todo += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            todo += part
