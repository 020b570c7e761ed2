"""Files of a bundle: allowed names, and contents that are accepted or refused."""

import io
import json

import numpy as np
import pytest
from bundles import UNDATED, configuration

from harness.bundle.checks import check
from harness.bundle.manifest import kind_of
from harness.config.evaluations import Accuracy

RUN, OTHER = "0123456789ab", "a" * 12
EVALUATION = Accuracy().model_dump(mode="json")
NAME = Accuracy().id


@pytest.mark.parametrize(
    ("kind", "names", "others"),
    [
        ("config", ["config.json"], ["config.jsonx", "config_json", "x/config.json", "CONFIG.json"]),
        ("training", ["training.json"], ["training.npy"]),
        ("outcome", ["outcome.json"], ["outcomes.json"]),
        ("segment", ["segments/1.json", "segments/123456789.json"], ["segments/1234567890.json", "segments/a.json"]),
        ("request", [f"requests/{NAME}.json"], ["requests/accuracy-0123abc.json", "requests/accuracy.json"]),
        (
            "evaluation",
            [
                f"evaluations/{NAME}.json",
                f"evaluations/{'k' * 64}-{'0' * 8}.json",
                "evaluations/A.b+c_d-1-01234567.json",
            ],
            [f"evaluations/{'k' * 65}-{'0' * 8}.json", f"evaluations/-{'0' * 8}.json", "evaluations/.b-01234567.json"],
        ),
        ("curve", ["metrics.jsonl"], ["metrics.json"]),
        ("log", ["log.txt"], ["log.txt.gz"]),
        ("array", [f"evaluations/{NAME}/own_logits1.npy"], [f"evaluations/{NAME}/a.npz", f"evaluations/{NAME}/A.npy"]),
    ],
)
def test_files_of_a_run_have_their_names(kind, names, others):
    assert {kind_of(f"runs/{RUN}/{name}") for name in names} == {kind}
    wrong = [f"runs/{RUN}/{name}" for name in others] + [f"runs/{RUN[:-1]}/{name}" for name in names]
    assert {kind_of(name) for name in [*wrong, *names, *(f"runs/{RUN.upper()}/{name}" for name in names)]} == {None}


def test_files_of_a_report_lie_in_two_to_four_folders():
    long = "a" * 100
    allowed = ("report/toy/x.html", "report/toy/a/b.png", "report/toy/a/b/c.png", f"report/{long}/{long}")
    refused = (
        "report/x.html",
        "report/a/b/c/d/e",
        "report/toy/.x",
        f"report/toy/{long}a",
        "report/toy/-x",
        "reports/a/b",
    )
    assert {kind_of(name) for name in allowed} == {"report"} and {kind_of(name) for name in refused} == {None}


def saved(array, version=(1, 0)):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def record(**fields):
    return json.dumps(
        {"evaluation": EVALUATION, "quantities": {}, "weights_sha256": "", "seconds": 1} | fields
    ).encode()


ARRAY, CURVE, CONFIG = f"evaluations/{NAME}/a.npy", "metrics.jsonl", "config.json"


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        *(
            ("array", ARRAY, saved(np.zeros(shape, dtype)))
            for shape in ((3,), (2, 1, 1, 2), (0, 4))
            for dtype in "?iBf"
        ),
        ("array", ARRAY, saved(np.zeros((2, 3)).T)),
        ("curve", CURVE, b'{"step": 1, "loss": 0.5}\n{"step": 2}\n'),
        ("curve", CURVE, b""),
        ("config", CONFIG, configuration()[1]),
        ("config", CONFIG, configuration(name="a\tb\nä")[1]),
        ("evaluation", f"evaluations/{NAME}.json", record()),
        ("request", f"requests/{NAME}.json", json.dumps(EVALUATION).encode()),
        ("outcome", "outcome.json", b'{"state": "done", "finished": "2026-01-01T00:00:00Z"}'),
        ("segment", "segments/1.json", json.dumps(UNDATED | {"started": "2026-01-01T00:00:00Z"}).encode()),
        ("log", "log.txt", b"\x1b\xff"),
    ],
)
def test_valid_files_are_accepted(tmp_path, kind, name, content):
    run = configuration()[0] if kind == "config" else RUN
    (tmp_path / "copy").write_bytes(content)
    check(kind, f"runs/{run}/{name}", tmp_path / "copy")


@pytest.mark.parametrize(
    ("kind", "name", "content", "says"),
    [
        ("array", ARRAY, saved(np.zeros(())), "it claims the shape"),
        (
            "array",
            ARRAY,
            saved(np.zeros((1, 1, 1, 1, 1))),
            r"it claims the shape \(1, 1, 1, 1, 1\), which no array of a run has",
        ),
        ("array", ARRAY, saved(np.zeros(3)) + b"x", "it claims the shape"),
        ("array", ARRAY, saved(np.zeros(3)), "^$"),
        ("array", ARRAY, saved(np.zeros(3), version=(3, 0)), "it is not an array of format 1.0 or 2.0"),
        ("array", ARRAY, saved(np.zeros(3, "c8")), "it contains complex64, not plain numbers"),
        ("array", ARRAY, saved(np.zeros(3, "M8[s]")), "not plain numbers"),
        ("array", ARRAY, saved(np.zeros(3, "i4,f4")), "not plain numbers"),
        ("curve", CURVE, b"[1]\n", "a line is not a point of a curve"),
        ("curve", CURVE, b'{"a": true}\n', "a line is not a point of a curve"),
        ("curve", CURVE, b'{"a": 1}\n{"a": null}\n', "a line is not a point of a curve"),
        ("config", CONFIG, configuration(name="n" * 201)[1], "it has no named configuration"),
        ("config", CONFIG, configuration(name=3)[1], "it has no named configuration"),
        ("config", CONFIG, configuration(config=[])[1], "it has no named configuration"),
        ("config", CONFIG, b"[]", "it has no named configuration"),
        (
            "config",
            CONFIG,
            configuration(config={"a": 2})[1],
            "it is the configuration of run .*, but its folder has another name",
        ),
        ("config", CONFIG, configuration(id=OTHER)[1], "but its folder has another name"),
        *(
            ("config", CONFIG, configuration(name=f"a{char}b")[1], "control characters|lone surrogate")
            for char in "\x00\x08\x0b\x1b\x1f\x7f\x9f\u202a\u202e\u2066\u2069\ud800\udfff"
        ),
        ("config", CONFIG, configuration(config={"\x1b": 1})[1], "control characters|lone surrogate"),
        ("config", CONFIG, configuration(config={"a": [{"b": ["\x1b"]}]})[1], "control characters|lone surrogate"),
        (
            "evaluation",
            f"evaluations/{NAME}.json",
            record(evaluation=EVALUATION | {"split": "x"}),
            "its name does not match",
        ),
        ("evaluation", f"evaluations/{NAME}.json", record(seconds="x"), "^seconds: Input should be a valid number"),
        ("request", f"requests/{NAME}.json", b'{"kind": "accuracy"}', "its name does not match its evaluation"),
        ("request", f"requests/{NAME}.json", b"[]", "its name does not match its evaluation"),
        ("outcome", "outcome.json", b'{"state": "odd", "finished": "2026-01-01T00:00:00Z"}', "^state: Input should be"),
        ("training", "training.json", b"{", "Expecting property name"),
        ("training", "training.json", b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_invalid_files_are_refused(tmp_path, kind, name, content, says):
    run = configuration()[0] if kind == "config" else RUN
    (tmp_path / "copy").write_bytes(content[:-1] if says == "^$" else content)
    with pytest.raises(ValueError, match="it claims the shape" if says == "^$" else says):
        check(kind, f"runs/{run}/{name}", tmp_path / "copy")
