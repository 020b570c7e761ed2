"""Comparisons: statistics against scipy and hand-made cases, and matching of runs whose ids differ."""

import json
import math
import shutil

import numpy as np
import pytest
from reports import fill
from toy_paper import HYBRID
from vouching import mentioned, vouch

from harness.compare.cells import compared
from harness.compare.parameters import parameters
from harness.compare.sides import Side
from harness.compare.significance import SeedValues, Status, holm, status
from harness.compare.text import Comparison, terminal, to_json
from harness.config.base import sha256_of_json
from harness.errors import SpecError
from harness.registry.papers import find_exhibits
from harness.store.files import read_json, write_json
from harness.store.records import Segment, TrainingRecord
from harness.store.results import Results

SELECTION = find_exhibits(["hybvit/table6"])
HYBVIT, TABLE6 = SELECTION[0]
LAPTOP = HYBVIT.scale("laptop")


def values(*numbers):
    return SeedValues(dict(enumerate(numbers)))


NAN = math.nan


@pytest.mark.parametrize(
    ("a", "b", "corrected", "exact", "expected"),
    [
        (values(1.0, 2.0), values(1.0, 2.0), None, False, Status.IDENTICAL),
        (values(1.0, NAN), values(1.0, NAN), None, False, Status.IDENTICAL),
        (values(1.0), values(1.0, 2.0), None, False, Status.PARTLY_IDENTICAL),
        (values(1.0), values(1.5), None, False, Status.NO_TEST),
        (values(1.0), values(1.5, 1.6), None, False, Status.NO_TEST),
        (values(1.0), values(1.5), None, True, Status.DIFFERS),
        (values(1.0, 1.0), values(1.5, 1.5), None, False, Status.NO_TEST),
        (values(1.0, 2.0), values(3.0, 4.0), 0.049, False, Status.DIFFERS),
        (values(1.0, 2.0), values(3.0, 4.0), 0.05, False, Status.NOT_SIGNIFICANT),
        (values(1.0, NAN), values(1.0, 2.0), None, False, Status.NOT_FINITE),
        (values(math.inf), values(1.0), None, False, Status.NOT_FINITE),
        (values(1.0), None, None, False, Status.ONLY_A),
        (None, values(1.0), None, False, Status.ONLY_B),
        (None, None, None, False, None),
        (SeedValues({0: 1.0}), SeedValues({1: 1.0}), None, False, Status.NO_TEST),
        (SeedValues({0: 1.0, 1: 2.0}), SeedValues({1: 2.0, 2: 3.0}), None, False, Status.PARTLY_IDENTICAL),
        (values(1.0, 2.0), values(1.0), None, False, Status.PARTLY_IDENTICAL),
        (values(1.0, 2.0), values(1.0, 2.5), 0.2, False, Status.NOT_SIGNIFICANT),
        (SeedValues({0: 1.0, 1: 1.0}), SeedValues({2: 1.0, 3: 1.0}), None, False, Status.NO_TEST),
        (SeedValues({0: 1.0}), SeedValues({1: 1.0}), None, True, Status.NOT_SIGNIFICANT),
        (values(1.0), values(NAN), 0.01, False, Status.NOT_FINITE),
        (values(1.0), values(1.5), 0.051, True, Status.DIFFERS),
    ],
)
def test_what_is_said_of_a_cell(a, b, corrected, exact, expected):
    assert status(a, b, corrected, exact) is expected


def test_the_mean_and_the_deviation_are_over_seeds():
    assert (values(1.0, 2.0, 6.0).n, values(1.0, 2.0, 6.0).mean) == (3, 3.0)
    assert values(1.0, 2.0, 6.0).sd == pytest.approx(math.sqrt((4 + 1 + 9) / 2))
    assert (values(1.0).sd, values(1.0, math.inf).sd, values(1.0, 1.0).sd) == (None, None, 0)
    assert values(1.0, 2.0).is_finite and not values(1.0, NAN).is_finite


def test_holm_is_the_published_example():
    # four ordered p-values times 4, 3, 2, 1, none below the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def noise(cell, by):
    """Return a noisy value that depends on the cell, its seed and the side `by` only."""
    rng = np.random.default_rng([by, cell.seed, *cell.row.key.encode(), *cell.metric.key.encode()])
    return 10 + rng.normal()


@pytest.fixture
def sides(tmp_path):
    """Build result sets of Table 6 from values, and open them."""

    def make(name, value, seeds=3, **how):
        results = Results(tmp_path / name)
        fill(results, HYBVIT, TABLE6, LAPTOP, seeds=seeds, value=value, **how)
        return results

    return make


def compare(a, b, **how):
    one, other = Side("A", "a", a), Side("B", "b", b)
    cells = compared(SELECTION, "laptop", one, other, **how)
    return Comparison("laptop", one, other, tuple(cells), tuple(parameters(cells, one, other)))


def test_every_cell_is_tested_as_scipy_would_and_what_differs_stands_first(sides):
    def shifted(cell):
        return noise(cell, 2) + (30 if cell.row.name == "HybViT(α=1)" and cell.metric.key == "fid" else 0)

    comparison = compare(sides("a", lambda cell: noise(cell, 1)), sides("b", shifted))
    assert len(comparison.cells) == 36
    first = comparison.cells[0]
    assert (first.row, first.metric.key, first.status) == ("HybViT(α=1)", "fid", Status.DIFFERS)
    assert comparison.counts == {Status.DIFFERS: 1, Status.NOT_SIGNIFICANT: 35}
    assert first.corrected == pytest.approx(36 * first.test.p_value)
    assert all(cell.detectable > abs(cell.difference) for cell in comparison.cells[1:])
    assert comparison.differs
    text = terminal(comparison, everything=False)
    assert "36 measured cells at scale laptop: 1 differs, 35 not significant." in text
    assert (
        "Differences would have been significant from: " in text
        and "Holm" in text
        and "Cells tested: 36." in " ".join(text.split())
    )
    assert text.count("hybvit/table6") == 1
    assert terminal(comparison, everything=True).count("hybvit/table6") == 36


def test_equal_results_are_identical_and_nothing_differs(sides):
    a, b = (sides(name, lambda cell: noise(cell, 1)) for name in "ab")
    comparison = compare(a, b)
    assert comparison.counts == {Status.IDENTICAL: 36}
    assert not comparison.differs
    assert "computed with the same parameters, versions and devices" in terminal(comparison, everything=False)
    assert compare(a, b, metrics=["fid"]).counts == {Status.IDENTICAL: 13}


def test_one_seed_on_both_sides_is_not_tested(sides):
    comparison = compare(*(sides(name, lambda cell, by=by: noise(cell, by), seeds=1) for by, name in enumerate("ab")))
    assert comparison.counts == {Status.NO_TEST: 36}
    assert "Cells tested: none" in " ".join(terminal(comparison, everything=False).split())


def test_one_seed_has_the_noise_of_the_other_side_and_what_one_side_lacks_is_counted(sides):
    comparison = compare(
        sides("a", lambda cell: noise(cell, 1), seeds=1),
        sides("b", lambda cell: noise(cell, 2), keep=lambda cell: cell.row.name != "HybViT"),
    )
    assert comparison.counts == {Status.NOT_SIGNIFICANT: 33, Status.ONLY_A: 3}
    seeds = [found for found in comparison.parameters if found.field == "seeds"]
    assert [(found.a, found.b) for found in seeds] == [("0", "0, 1, 2")]


def test_values_that_are_not_finite_stand_first_and_are_json(sides):
    broken = sides("b", lambda cell: math.nan if cell.row.name == "HybViT" and cell.seed == 2 else noise(cell, 1))
    comparison = compare(sides("a", lambda cell: noise(cell, 1)), broken)
    assert [cell.status for cell in comparison.cells[:4]] == [Status.NOT_FINITE] * 3 + [Status.IDENTICAL]
    assert comparison.differs
    document = json.loads(json.dumps(to_json(comparison), allow_nan=False))
    assert document["counts"] == {"not finite": 3, "identical bits": 33}
    found = document["cells"][0]
    assert (found["b"]["mean"], found["difference"], found["b"]["sd"], found["p"]) == ("NaN", "NaN", None, None)
    assert [seed["value"] for seed in found["b"]["seeds"]][2] == "NaN"


def moved(results, change):
    """Rewrite every run as another version of the code would store it; return `{old id: new id}`."""
    ids = {}
    for directory in results.all():
        document = read_json(directory.config)
        change(document)
        ids[directory.id] = document["id"] = sha256_of_json(document["config"])[:12]
        write_json(directory.config, document)
        shutil.move(directory.path, results.runs / document["id"])
    return ids


def older(document):
    document["config"]["semantics"] = 1


def without_a_field(document):
    document["name"] = f"formerly {document['name']}"
    del document["config"]["training"]["precision"]


def longer(document):
    document["config"]["training"]["epochs"] += 1


@pytest.mark.parametrize(
    ("change", "field", "in_a", "in_b"),
    [
        (older, "semantics", 1, 2),
        (without_a_field, "training.precision", "(absent)", "fp32"),
        (longer, "training.epochs", 13, 12),
    ],
)
def test_rows_correspond_although_ids_differ(sides, change, field, in_a, in_b):
    a, b = (sides(name, lambda cell: noise(cell, 1)) for name in "ab")
    ids = moved(a, change)
    comparison = compare(a, b)
    assert comparison.counts == {Status.IDENTICAL: 36}
    pairs = {(found, cell.b.runs[seed]) for cell in comparison.cells for seed, found in cell.a.runs.items()}
    assert {old: new for new, old in pairs} == ids
    (difference,) = comparison.parameters
    assert (difference.field, difference.a, difference.b) == (field, in_a, in_b)
    assert len(difference.runs) == len(ids) == 39
    text = terminal(comparison, everything=False)
    assert "39 runs of A correspond to runs of B, 39 of them with other ids" in text
    assert "all 39" in text


def test_a_row_is_never_compared_with_another_row(sides):
    """Rows differ in one field of their runs; a missing row must not be matched with its neighbour."""
    a = sides("a", lambda cell: noise(cell, 1))
    b = sides("b", lambda cell: noise(cell, 1), keep=lambda cell: cell.row.name != "HybViT(α=10)")
    gone = LAPTOP.shrink(TABLE6.row("HybViT(α=10)").run)
    for seed in range(3):
        shutil.rmtree(b.directory(gone.but(seed=seed)).path)
    comparison = compare(a, b)
    assert comparison.counts == {Status.ONLY_A: 3, Status.IDENTICAL: 33}
    moved(b, older)
    assert compare(a, b).counts == {Status.ONLY_A: 3, Status.IDENTICAL: 33}


def test_of_two_runs_that_are_equally_near_neither_stands_for_a_row(tmp_path):
    results = Results(tmp_path)
    near, as_near, far = (
        HYBRID.but(**change).called(HYBRID.name) for change in ({"alpha": 3}, {"alpha": 4}, {"alpha": 5, "depth": 2})
    )
    found = []
    for run in (far, near, as_near):
        results.directory(run).request(run, [])
        found.append(Side("A", "a", results).run(HYBRID, lambda seed: ()))
    assert found == [far.id, near.id, None]


def test_other_settings_of_an_evaluation_and_feature_spaces_are_found(sides):
    a, b = (sides(name, lambda cell: noise(cell, 1)) for name in "ab")
    for directory in a.all():
        for path in directory.evaluations.glob("generation-*.json"):
            record = read_json(path)
            record["evaluation"]["samples"] = 500
            record["details"]["feature_space"]["weights_sha256"] = "f" * 64
            path.unlink()
            write_json(path.with_name(f"generation-{sha256_of_json(record['evaluation'])[:8]}.json"), record)
        vouch(directory)
    comparison = compare(a, b)
    assert comparison.counts == {Status.IDENTICAL: 36}
    found = {difference.field: (difference.a, difference.b) for difference in comparison.parameters}
    assert found == {
        "generation.samples": (500, 1000),
        "feature_space.weights_sha256": ("f" * 64, "0" * 64),
    }


def test_where_runs_were_computed_is_compared(sides):
    stay = {"started": "2026-01-01T00:00:00Z", "seconds": 1, "host": "one", "device": "cpu", "threads": 1}
    results = [sides(name, lambda cell: noise(cell, 1), seeds=1) for name in "ab"]
    for side, commit, torch, data in zip(results, ("a" * 40, "b" * 40), ("2.13.0", "2.9.0"), "01", strict=True):
        for directory in side.all():
            codes = [{"name": name, "version": "1", "sha256": data * 64} for name in ("mixup", "paper-harness")]
            versions = {"torch": torch, "python": "3.11"}
            fields = {"distributions": codes, "evaluations": mentioned(directory)}
            segment = Segment(**stay, commit=commit, dirty=False, versions=versions, **fields)
            (directory.segments / "0.json").unlink()
            segment.save(directory.segments / "1.json")
            hashes = {"weights_sha256": "0" * 64, "data_sha256": data * 64}
            TrainingRecord(iterations=1, parameters=1, **hashes).save(directory.training)
    comparison = compare(*results)
    found = {difference.field: (difference.a, difference.b) for difference in comparison.parameters}
    assert found == {
        "data_sha256": ("0" * 64, "1" * 64),
        "computed.commit": ("a" * 9, "b" * 9),
        "computed.code.mixup": ("1, SHA-256 000000000000", "1, SHA-256 111111111111"),
        "computed.versions.torch": ("2.13.0", "2.9.0"),
    }


def test_an_empty_set_is_an_error_and_a_damaged_record_is_named(sides, tmp_path):
    with pytest.raises(SpecError, match="has no runs: give a results directory or a bundle"):
        Side("A", "nothing", Results(tmp_path / "nothing"))
    a, b = (sides(name, lambda cell: noise(cell, 1), seeds=1) for name in "ab")
    next(iter(a.all()[0].evaluations.glob("*.json"))).write_text("{")
    a.all()[1].config.write_text("[]")
    comparison = compare(a, b)
    assert len(comparison.a.skipped_runs) == 2
    assert terminal(comparison, everything=False).count("skipped: A: ") == 2
    assert sum(comparison.counts.values()) == 36
