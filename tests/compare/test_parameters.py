"""The parameters in which two sides differ."""

import dataclasses

from compared_sides import CELL, made, pair, stay
from toy_paper import HYBRID
from vouching import vouch

from harness.compare.parameters import parameters
from harness.compare.sides import Side
from harness.store.records import DistributionRecord, TrainingRecord
from harness.store.results import Results


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
