"""Parts of a comparison, each on its own: correspondence of runs and records, parameters, order and text."""

import dataclasses
import json
import math
import pkgutil
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace

import pytest
from toy_paper import DENOISING, HYBRID, PAPER, TABLES
from vouching import vouch

import harness.compare
from harness.compare.cells import ComparedCell, SideValue, compared
from harness.compare.parameters import Difference, parameters
from harness.compare.sides import Side, differing, joined, leaves
from harness.compare.significance import SeedValues, Status, Welch
from harness.compare.text import Comparison, terminal, to_json
from harness.config.evaluations import Accuracy, Calibration, Size
from harness.registry.cells import cells
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, PARAMETERS
from harness.registry.row import Row
from harness.store.records import DistributionRecord, EvaluationRecord, Measurement, Segment, TrainingRecord
from harness.store.results import Results

WHERE = {"started": datetime.now(UTC), "seconds": 1.0, "host": "h", "device": "cpu", "threads": 1}


def measured(results, run, evaluation, quantity="accuracy", value=1.0, **details):
    directory = results.directory(run)
    directory.request(run, [evaluation])
    record = EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"), quantities={quantity: Measurement(value=value, n=1)},
        details=details, weights_sha256="0" * 64, seconds=1.0,
    )  # fmt: skip
    record.save(directory.record_path(evaluation))
    vouch(directory)
    return record


def stay(commit=None, dirty=False, versions=None, **fields):
    return Segment(**WHERE | {"commit": commit, "dirty": dirty, "versions": versions or {}} | fields)


def nothing(seed):
    return ()


def test_leaves_are_values_at_dotted_paths():
    assert leaves({"a": {"b": 1, "c": {"d": [1, {"e": 2}]}}, "f": None}) == {
        "a.b": 1,
        "a.c.d": [1, {"e": 2}],
        "f": None,
    }
    assert leaves(3) == {"": 3} and leaves({"a": {}}) == {}
    assert differing({"a": 1, "b": 2, "c": 3}, {"d": 4, "c": 3, "b": 5}) == [
        ("a", 1, "(absent)"), ("b", 2, 5), ("d", "(absent)", 4)
    ]  # fmt: skip
    assert joined([2, "b", 2, 1]) == "2, b, 1"


def test_a_run_corresponds_to_the_nearest_of_its_name_seed_and_data(tmp_path):
    results = Results(tmp_path)
    far, near = (HYBRID.but(**changes).called("hybrid") for changes in ({"alpha": 3, "depth": 2}, {"alpha": 4}))
    other_seed, other_name = HYBRID.but(seed=1, alpha=5).called("hybrid"), HYBRID.but(alpha=6).called("another")
    for run in (far, other_seed, other_name):
        results.directory(run).request(run, [])
    ask = lambda *expected: Side("A", "a", results).run(HYBRID, lambda seed: expected)  # noqa: E731
    assert ask() == far.id
    results.directory(near).request(near, [])
    assert ask() == near.id and ask(near.id) == far.id and ask(near.id, far.id) is None
    results.directory(HYBRID).request(HYBRID, [])
    assert ask() == ask(HYBRID.id) == HYBRID.id


def test_a_correspondence_is_sought_once_and_among_the_expected_of_the_seed(tmp_path):
    results, asked = Results(tmp_path), []
    near = HYBRID.but(alpha=3, seed=2).called("hybrid seed=2")
    results.directory(near).request(near, [])
    side, wanted = Side("A", "a", results), HYBRID.but(seed=2)

    def expected(seed):
        asked.append(seed)
        return ()

    assert [side.run(wanted, expected), side.run(wanted, expected)] == [near.id] * 2 and asked == [2]


def test_a_record_corresponds_to_the_nearest_of_its_kind_and_quantity(tmp_path):
    results = Results(tmp_path)
    far = measured(results, HYBRID, Accuracy(split="train", after=0.5))
    measured(results, HYBRID, Calibration(after=0.5))
    measured(results, HYBRID, Accuracy(split="b"), quantity="other")
    ask = lambda *expected: Side("A", "a", Results(tmp_path)).record(  # noqa: E731
        HYBRID.id, Accuracy(), "accuracy", lambda seed: expected
    )
    assert ask() == far and ask(Accuracy(split="train", after=0.5).id) is None
    near = measured(results, HYBRID, Accuracy(split="train"))
    assert ask() == near
    measured(results, HYBRID, Accuracy(after=0.5))
    assert ask() is None, "two are equally near"
    own = measured(results, HYBRID, Accuracy())
    assert ask() == ask(Accuracy().id) == own


def test_unreadable_files_are_named_once(tmp_path):
    results = Results(tmp_path)
    measured(results, HYBRID, Accuracy())
    measured(results, DENOISING, Accuracy())
    directory, other = results.directory(HYBRID), results.directory(DENOISING)
    stay("b" * 40).save(other.segments / "1.json")
    stay("a" * 40).save(other.segments / "2.json")
    stay().save(other.segments / "3.json")
    stay("a" * 40).save(directory.segments / "1.json")
    side = Side("A", "a", results)
    assert side.commits == ["a" * 40, "b" * 40] and side.skipped_runs == []
    for path in (directory.segments / "1.json", directory.training, directory.record_path(Accuracy())):
        path.write_text("{")
    for _ in range(2):
        assert (side.segments(HYBRID.id), side.training(HYBRID.id)) == ([], None)
        assert side.record(HYBRID.id, Accuracy(), "accuracy", nothing) is None
    assert [line.partition(": corrupted record ")[0] for line in side.skipped_runs] == ["A"] * 2
    other.config.write_text("{}")
    again = Side("A", "a", results)
    assert list(again.stored) == [HYBRID.id] and again.skipped_runs == [f"A: {DENOISING.id}: 'name'"]
    assert again.training("0" * 12) is None


def pair(results, numbers, cell, **how):
    runs = {seed: (cell.run if seed == 0 else cell.run.but(seed=seed)) for seed in numbers}
    records = {
        seed: measured(results, run, cell.evaluation, cell.metric.quantity, numbers[seed], **how)
        for seed, run in runs.items()
    }
    return SideValue(SeedValues(numbers), {seed: run.id for seed, run in runs.items()}, records)


CELL = next(iter(cells(PAPER, TABLES[0], TABLES[0].rows, PAPER.scale("laptop"), [0])))


def made(a, b, status=Status.NO_TEST, metric=ACCURACY, **fields):
    return ComparedCell("toy/table101", "Row", metric, "", "Acc", "digits", a, b, status, **fields)


def test_parameters_are_those_of_evaluations_runs_code_and_hardware(tmp_path):
    a, b = Results(tmp_path / "a"), Results(tmp_path / "b")
    one = pair(a, {1: 2.0, 0: 1.0}, CELL, feature_space={"kind": "x", "data": "d", "test_accuracy": 1})
    other = pair(b, {0: 1.0, 2: 2.0}, CELL, feature_space={"kind": "y", "data": "d", "test_accuracy": 2})
    for results, commit, device, ranks, loader, code in (
        (a, "a", "cpu", 1, None, "1"), (b, None, "H200", 4, "ffcv", "2")
    ):  # fmt: skip
        for directory in results.all():
            foreign = DistributionRecord(name="mixup", version=code, sha256=code * 64)
            own = DistributionRecord(name="paper-harness", version=code, sha256=code * 64)
            fields = {"world_size": ranks, "loader": loader, "distributions": (foreign, own)}
            (directory.segments / "0.json").unlink()
            first = stay(commit and commit * 40, True, {"torch": "2"}, device_name=None, **fields)
            first.save(directory.segments / "1.json")
            stay(commit and commit * 40, True, {"numpy": "1"}, device_name=device, **fields).save(
                directory.segments / "2.json"
            )
            TrainingRecord(iterations=1, parameters=1, weights_sha256="0" * 64, data_sha256=code * 64).save(
                directory.training
            )
    sides = Side("A", "a", a), Side("B", "b", b)
    found = parameters([made(one, other), made(one, None), made(None, other)], *sides)
    same = ((HYBRID.id, HYBRID.id),)
    assert [(each.field, each.a, each.b, each.runs) for each in found] == [
        ("data_sha256", "1" * 64, "2" * 64, same),
        ("feature_space.kind", "x", "y", same),
        ("seeds", "0, 1", "0, 2", same),
        ("computed.code.mixup", f"1, SHA-256 {'1' * 12}", f"2, SHA-256 {'2' * 12}", same),
        ("computed.commit", f"{'a' * 9} with changes", "unknown with changes", same),
        ("computed.device", "cpu", "cpu, H200", same),
        ("computed.loader", "(absent)", "ffcv", same),
        ("computed.world_size", "1", "4", same),
    ]


def test_parameters_of_most_runs_come_first(tmp_path):
    a, b = Results(tmp_path / "a"), Results(tmp_path / "b")
    one, other = (pair(results, {0: 1.0, 1: 2.0}, CELL) for results in (a, b))
    changed = {seed: HYBRID.but(seed=seed, alpha=3 + seed, depth=2) for seed in (0, 1)}
    for run in changed.values():
        b.directory(run).request(run, [])
        vouch(b.directory(run))
    other = dataclasses.replace(other, runs={seed: run.id for seed, run in changed.items()})
    found = parameters([made(one, other), made(one, other)], Side("A", "a", a), Side("B", "b", b))
    assert [(each.field, each.a, each.b, len(each.runs)) for each in found] == [
        ("network.depth", 1, 2, 2), ("method.alpha", 10.0, 3.0, 1), ("method.alpha", 10.0, 4.0, 1)
    ]  # fmt: skip


def toy(tmp_path, **values):
    """Return results of the toy paper by side, from the values of accuracy by seed."""
    return [
        Side(name.upper(), name, results)
        for name, numbers in values.items()
        for results in [Results(tmp_path / name)]
        if [pair(results, numbers, CELL)]
    ]


def test_cells_are_compared_until_the_first_seed_without_a_run(tmp_path):
    a, b = toy(tmp_path, a={0: 1.0, 1: 2.0, 3: 9.0}, b={0: 1.5, 1: 2.0, 2: 4.0})
    selection = [(PAPER, TABLES[0]), (PAPER, TABLES[2]), (PAPER, TABLES[2])]
    (found,) = compared(selection, "laptop", a, b)
    assert (found.exhibit, found.row, found.metric) == ("toy/table101", TABLES[0].rows[0].label, ACCURACY)
    assert (found.label, found.data, found.reading) == ("Acc", "digits", "")
    assert found.also == ("toy/table103 Whole",)
    assert (found.a.values.by_seed, found.b.values.by_seed) == ({0: 1.0, 1: 2.0, 3: 9.0}, {0: 1.5, 1: 2.0, 2: 4.0})
    assert found.difference == pytest.approx(7.5 / 3 - 4.0) and found.status is Status.NOT_SIGNIFICANT
    assert found.corrected == found.test.p_value
    assert (
        compared(selection, "laptop", a, b, ["fid"]) == []
        and len(compared(selection, "laptop", a, b, ["accuracy"])) == 1
    )


def test_a_comparison_ends_at_a_seed_that_neither_side_has(tmp_path):
    a, b = toy(tmp_path, a={0: 1.0, 2: 2.0}, b={0: 1.0})
    (found,) = compared([(PAPER, TABLES[0])], "laptop", a, b)
    assert (found.a.values.by_seed, found.status) == ({0: 1.0}, Status.IDENTICAL)
    assert (found.test, found.corrected) == (None, None)


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


ALL = [
    made(*map(side_value, VALUES[status]), status=status, **how)
    for status, how in (
        (Status.DIFFERS, {"test": Welch(1.5, 2.5, 0.0123), "corrected": 0.0246, "also": ("x", "y")}),
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
    assert lines[2] == (
        "5 measured cells at scale laptop: 1 not finite, 1 differs, 1 one seed: no test, 1 only in A, 1 identical bits."
    )
    assert "Cells tested: 1." in " ".join(lines)
    table = [line for line in lines if line.startswith("toy/table101")]
    assert table == [
        "toy/table101 (+ 2) Row Acc % 1.1 ± 0.1 (n=2) 3.1 ± 0.1 (n=2) +2.0 0.025 differs",
        "toy/table101 Row Acc % NaN (n=1) 1.0 (n=1) not finite",
        "toy/table101 Row Acc M 1.0 (n=1) 0.2 (n=1) -0.8 one seed: no test",
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
        "not finite": 1, "differs": 1, "one seed: no test": 1, "only in A": 1, "identical bits": 1
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
        "difference": pytest.approx(2.0), "t": 1.5, "df": 2.5, "p": 0.0123, "p_holm": 0.0246,
    }  # fmt: skip
    assert (broken["difference"], broken["a"]["mean"], broken["t"]) == ("NaN", "NaN", None)
    assert (only["b"], only["difference"], only["p_holm"]) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "differs"), [(Status.DIFFERS, True), (Status.NOT_FINITE, True), (Status.NO_TEST, False)]
)
def test_a_comparison_differs_if_a_cell_does(status, differs):
    assert comparison(made(None, None, status), made(None, None, Status.IDENTICAL)).differs is differs


def test_cells_are_ordered_by_status_significance_and_size(tmp_path):
    """Accuracy, FID and IS of two rows, with one seed on each side, so that none is tested."""
    a, b = Results(tmp_path / "a"), Results(tmp_path / "b")
    sizes = {("Hybrid_α=10 (100%)", "accuracy"): 1.0, ("Denoising", "fid"): -3.0, ("Denoising", "inception_score"): 2.0}
    quantities = {}
    for cell in cells(PAPER, TABLES[0], TABLES[0].rows, PAPER.scale("laptop"), [0]):
        for results in (a, b):
            shift = sizes.get((cell.row.label, cell.metric.key), 0.0) if results is b else 0.0
            path = results.directory(cell.run).record_path(cell.evaluation)
            known = quantities.setdefault(path, {})
            known[cell.metric.quantity] = Measurement(value=10.0 + shift, n=1)
            results.directory(cell.run).request(cell.run, [cell.evaluation])
            EvaluationRecord(
                evaluation=cell.evaluation.model_dump(mode="json"), quantities=known, weights_sha256="0" * 64, seconds=1
            ).save(path)
            vouch(results.directory(cell.run))
    found = compared([(PAPER, TABLES[0])], "laptop", Side("A", "a", a), Side("B", "b", b))
    assert [(cell.metric.key, cell.difference, cell.status) for cell in found] == [
        ("fid", -3, Status.NO_TEST), ("inception_score", 2, Status.NO_TEST), ("accuracy", 1, Status.NO_TEST),
        ("inception_score", 0, Status.IDENTICAL), ("fid", 0, Status.IDENTICAL),
    ]  # fmt: skip


def test_of_cells_that_differ_those_with_a_test_come_first(tmp_path):
    exhibit = Table(number=1, title="t", metrics=(PARAMETERS, ACCURACY), rows=(Row("A", HYBRID, (1.0, 2.0)),))
    protocols = {PARAMETERS: Size(), ACCURACY: Accuracy()}
    own = {"tables": (exhibit,), "figures": (), "optional": (), "protocol": lambda metric, run: protocols[metric]}
    paper = dataclasses.replace(PAPER, **own)
    size, accuracy = cells(paper, exhibit, exhibit.rows, paper.scale("laptop"), [0])
    sides = []
    for name, shift in (("a", 0.0), ("b", 2.0)):
        results = Results(tmp_path / name)
        pair(results, {0: 9.0 + shift, 1: 9.0 + shift}, size)
        pair(results, {0: 1.0 + shift, 1: 1.1 + shift}, accuracy)
        sides.append(Side(name, name, results))
    found = compared([(paper, exhibit)], "laptop", *sides)
    assert [(cell.metric, cell.status, cell.corrected is None) for cell in found] == [
        (ACCURACY, Status.DIFFERS, False), (PARAMETERS, Status.DIFFERS, True)
    ]  # fmt: skip


def test_what_was_compared_cannot_be_changed():
    modules = [
        import_module(f"harness.compare.{found.name}") for found in pkgutil.iter_modules(harness.compare.__path__)
    ]
    for module in modules:
        for each in vars(module).values():
            if isinstance(each, type) and dataclasses.is_dataclass(each) and not each.__name__.startswith("_"):
                with pytest.raises(dataclasses.FrozenInstanceError):
                    object.__new__(each).status = "other"
