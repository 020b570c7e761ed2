"""A comparison as text and as JSON."""

import dataclasses
import json
import math
from types import SimpleNamespace

import pytest
from compared_sides import made
from scipy import stats

from harness.compare.cells import SideValue
from harness.compare.parameters import Difference
from harness.compare.significance import DifferenceTest, SeedValues, Status
from harness.compare.text import Comparison, terminal, to_json
from harness.registry.metrics import FID, PARAMETERS

VALUES = {
    Status.DIFFERS: ({0: 1.0, 1: 1.2}, {0: 3.0, 1: 3.2}),
    Status.NOT_FINITE: ({0: math.nan}, {0: 1.0}),
    Status.NO_TEST: ({0: 1.0}, {0: 0.25}),
    Status.ONLY_A: ({0: 1.0}, None),
    Status.IDENTICAL: ({0: 2.0}, {0: 2.0}),
}


def side_value(numbers):
    return SideValue(SeedValues(numbers), {seed: f"run{seed}" for seed in numbers}, {}) if numbers else None


def side(name, commits=("c" * 40,), skipped=()):
    return SimpleNamespace(
        name=name, path=name.lower(), commits=list(commits), stored={"1": 0, "2": 0}, skipped_runs=list(skipped)
    )


def comparison(*made_cells, differences=(), a=None, b=None):
    return Comparison("laptop", a or side("A"), b or side("B"), made_cells, differences)


TESTED = DifferenceTest(2.0, 0.5, 4)
ALL = [
    made(*map(side_value, VALUES[status]), status=status, **how)
    for status, how in (
        (
            Status.DIFFERS,
            {"test": TESTED, "corrected": 0.0246, "detectable": 1.7, "also": ("x", "y")},
        ),
        (Status.NOT_FINITE, {}),
        (Status.NO_TEST, {"metric": PARAMETERS}),
        (Status.ONLY_A, {}),
        (Status.IDENTICAL, {}),
    )
]


def lines_of(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def test_cells_are_listed_with_values_difference_and_significance():
    text = terminal(comparison(*ALL), everything=False)
    lines = lines_of(text)
    assert lines[:2] == ["A: a, 2 runs, commit ccccccccc", "B: b, 2 runs, commit ccccccccc"]
    counts = "1 not finite, 1 differs, 1 noise unknown: no test, 1 only in A, 1 identical bits"
    assert lines[2] == f"5 measured cells at scale laptop: {counts}."
    assert "Cells tested: 1." in " ".join(lines)
    table = [line for line in lines if line.startswith("toy/table101")]
    assert table == [
        "toy/table101 (+ 2) Row Acc % 1.10 ± 0.14 (n=2) 3.10 ± 0.14 (n=2) +2.0 1.7 0.025 differs",
        "toy/table101 Row Acc % NaN (n=1) 1.0 (n=1) not finite",
        "toy/table101 Row Acc M 1.0 (n=1) 0.2 (n=1) -0.8 noise unknown: no test",
        "toy/table101 Row Acc % 1.0 (n=1) - only in A",
    ]
    assert "Not listed: 1 cells that are identical or not significantly different (--all lists them)." in lines
    assert "1 runs of A correspond to runs of B, with equal ids." not in lines
    everything = lines_of(terminal(comparison(*ALL), everything=True))
    assert "toy/table101 Row Acc % 2.0 (n=1) 2.0 (n=1) +0.0 identical bits" in everything
    assert not any(line.startswith("Not listed") for line in everything)
    assert "2 runs of A correspond to runs of B, with equal ids." in everything
    assert "They were computed with the same parameters, versions and devices." in everything


def test_only_seeds_of_both_sides_correspond():
    cell = made(side_value({0: 1.0, 1: 2.0}), side_value({1: 1.0, 2: 2.0}))
    assert "1 runs of A correspond to runs of B, with equal ids." in terminal(comparison(cell), everything=False)


def test_a_reading_and_a_metric_without_noise_are_told():
    exact = made(side_value({0: 1.0, 1: 3.0}), None, Status.ONLY_A, metric=PARAMETERS)
    read = dataclasses.replace(exact, reading="samples=5", metric=FID)
    text = " ".join(lines_of(terminal(comparison(exact, read), everything=False)))
    assert "Acc M 2.0 (n=2) - only in A" in text and "Acc (samples=5) 2.0 ± 1.4 (n=2) - only in A" in text
    assert "No run of A corresponds to a run of B." in text


def test_parameters_are_listed_with_few_of_their_runs():
    a, b = side_value(dict.fromkeys(range(4), 1.0)), side_value(dict.fromkeys(range(4), 1.0))
    b.runs[3] = "other"
    pairs = tuple((a.runs[seed], b.runs[seed]) for seed in range(4))
    text = terminal(
        comparison(
            made(a, b),
            differences=(
                Difference("all", 1, 2, pairs), Difference("one", "x" * 41, "y" * 40, pairs[3:]),
                Difference("two", 1, None, pairs[2:]), Difference("three", 1, 2, pairs[1:]),
            ),
            b=side("B", (), ["B: it is damaged"]), a=side("A", ("d" * 40, "e" * 40), ["A: so is this"]),
        ),
        everything=False,
    )  # fmt: skip
    lines = lines_of(text)
    assert lines[:2] == ["A: a, 2 runs, commit ddddddddd, eeeeeeeee", "B: b, 2 runs, commit unknown"]
    assert "4 runs of A correspond to runs of B, 1 of them with other ids, since configurations differ." in lines
    assert [line for line in lines if line.partition(" ")[0] in ("all", "one", "two", "three")] == [
        "all 1 2 all 4",
        f"one {'x' * 37}... {'y' * 40} run3 / other",
        "two 1 None run2, run3 / other",
        "three 1 2 run1, run2 and 1 more",
    ]
    assert lines[-2:] == ["skipped: A: so is this", "skipped: B: it is damaged"]


def test_json_has_every_cell_and_parameter():
    told = to_json(
        comparison(*ALL, differences=(Difference("f", 1, "x", (("p", "q"),)),), a=side("A", skipped=["A: x"]))
    )
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["format"], told["scale"], told["a"]) == (1, "laptop", {"path": "a", "runs": 2, "commits": ["c" * 40]})
    assert told["b"]["path"] == "b" and told["left_aside"] == ["A: x"]
    assert told["counts"] == {
        "not finite": 1, "differs": 1, "noise unknown: no test": 1, "only in A": 1, "identical bits": 1
    }  # fmt: skip
    assert told["parameters"] == [{"field": "f", "a": 1, "b": "x", "runs": [["p", "q"]]}]
    first, broken, _, only, _ = told["cells"]
    assert first == {
        "exhibit": "toy/table101", "row": "Row", "metric": "accuracy", "reading": "", "measured_as": "Acc",
        "data": "digits", "also": ["x", "y"], "status": "differs",
        "a": {"mean": pytest.approx(1.1), "sd": pytest.approx(math.sqrt(0.02)), "seeds": [
            {"seed": 0, "value": 1.0, "run": "run0"}, {"seed": 1, "value": 1.2, "run": "run1"}]},
        "b": {"mean": pytest.approx(3.1), "sd": pytest.approx(math.sqrt(0.02)), "seeds": [
            {"seed": 0, "value": 3.0, "run": "run0"}, {"seed": 1, "value": 3.2, "run": "run1"}]},
        "difference": pytest.approx(2.0), "t": 4.0, "df": 4, "p": pytest.approx(2 * stats.t.sf(4, 4)), "p_holm": 0.0246,
        "detectable": 1.7,
    }  # fmt: skip
    assert (broken["difference"], broken["a"]["mean"], broken["t"]) == ("NaN", "NaN", None)
    assert (only["b"], only["difference"], only["p_holm"]) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "differs"), [(Status.DIFFERS, True), (Status.NOT_FINITE, True), (Status.NO_TEST, False)]
)
def test_a_comparison_differs_if_a_cell_does(status, differs):
    assert comparison(made(None, None, status), made(None, None, Status.IDENTICAL)).differs is differs
