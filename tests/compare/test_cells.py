"""The cells that are compared, their seeds and their order."""

import dataclasses
import pkgutil
from importlib import import_module

import pytest
from compared_sides import pair, toy
from toy_paper import HYBRID, PAPER, TABLES
from vouching import vouch

import harness.compare
from harness.compare.cells import compared
from harness.compare.sides import Side
from harness.compare.significance import Status
from harness.config.evaluations import Accuracy, Size
from harness.registry.cells import cells
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, PARAMETERS
from harness.registry.row import Row
from harness.store.records import EvaluationRecord, Measurement
from harness.store.results import Results


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
