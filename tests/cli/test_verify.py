"""`verify` names each file that is not the one that was written, with its mend, and changes nothing."""

import json
import shutil

import numpy as np
import pytest
from damage import flip
from reports import fill
from vouching import vouch

from harness.bundle.writing import write_bundle
from harness.cli.main import main
from harness.config.evaluations import Accuracy
from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.store.arrays import save_array
from harness.store.curves import append_point, curve_sha256
from harness.store.decisions import Decision, path_of
from harness.store.files import sha256_of
from harness.store.hashed import hash_path, save_hashed
from harness.store.records import TrainingRecord
from harness.store.results import Results
from harness.training.checkpoints import save_checkpoint, save_tensors

PAPER, TABLE = find_exhibits(["hybvit/table6"])[0]
LAPTOP = PAPER.scale("laptop")


@pytest.fixture
def results(tmp_path):
    """Results with a file of every kind that `verify` checks, in one run."""
    results = Results(tmp_path / "results")
    fill(results, PAPER, TABLE, LAPTOP, keep=lambda cell: cell.row.key == "HybViT")
    directory = next(each for each in results.all() if each.evaluations.exists())
    append_point(directory.metrics, {"epoch": 1, "step": 9, "loss": 1.0})
    weights = {10: save_tensors(directory.weights, {}), 5: save_tensors(directory.snapshot(5), {})}
    TrainingRecord(
        iterations=9, parameters=1, weights_sha256=weights[10], data_sha256="d" * 64, snapshots={5: weights[5]},
        curve_sha256=curve_sha256(directory.metrics, 9),
    ).save(directory.training)  # fmt: skip
    for path in directory.evaluations.glob("*.json"):
        document = json.loads(path.read_text())
        path.write_text(json.dumps(document | {"weights_sha256": weights[10]}))
    generation = next(directory.evaluations.glob("generation-*.json")).with_suffix("")
    save_array(generation / "samples.npy", np.zeros((4, 1, 8, 8), np.uint8))
    vouch(directory)
    save_hashed(generation / "shard-000000.npy", np.zeros(4), weights[10])
    save_checkpoint(directory.checkpoints, 5, {})
    save_hashed(results.cache / "features" / "digits" / "train-features.npy", np.zeros((3, 2), np.float32))
    return results


def verify(results, capsys, *arguments):
    code = main(["--results", str(results.root), "verify", *arguments])
    return code, capsys.readouterr()


def everything(results):
    return {path: sha256_of(path) for path in results.root.rglob("*") if path.is_file()}


def test_intact_results_are_said_to_be(results, capsys):
    before = everything(results)
    code, said = verify(results, capsys)
    assert code == 0, said.out
    assert said.out.endswith(f"files of {len(results.all())} runs: all intact\n")
    assert everything(results) == before


@pytest.mark.parametrize(
    ("pattern", "mend"),
    [
        ("weights.safetensors", "training.json, then 'python -m harness --results "),
        ("snapshots/5.safetensors", "training.json, then 'python -m harness --results "),
        ("metrics.jsonl", "training.json, then 'python -m harness --results "),
        ("evaluations/*/samples.npy", ".json, then 'python -m harness --results "),
        ("evaluations/*/shard-000000.npy", "continues without it"),
        ("checkpoints/*.safetensors", "continues without it"),
        ("training.json", "delete this file and run again"),
        ("segments/0.json", "delete this file and run again"),
        ("outcome.json", "delete this file and run again"),
        ("evaluations/accuracy-*.json", "delete this file and run again"),
    ],
)
@pytest.mark.parametrize("emptied", [False, True])
def test_each_damaged_file_is_one_line_with_its_mend(results, capsys, pattern, mend, emptied):
    run = next(each for each in results.all() if each.evaluations.exists())
    if pattern == "outcome.json":
        run.outcome.write_text("{}")
    path = next(run.path.glob(pattern))
    if emptied or path.suffix == ".json":
        path.write_bytes(b"")
    else:
        flip(path)
    before = everything(results)
    code, said = verify(results, capsys, run.id[:8])
    assert code == 1
    *lines, summary = said.out.splitlines()
    assert summary.endswith(" 1 run: 1 problem")
    (line,) = lines
    assert (line.startswith(f"{path}: ") and mend in line) or "measures it again" in line
    assert everything(results) == before
    code, said = verify(results, capsys, "--json")
    (problem,) = json.loads(said.out)["problems"]
    assert (code, problem["run"], problem["file"]) == (1, run.id, str(path))
    assert problem["problem"] and problem["mend"]


def test_lost_files_are_named(results, capsys):
    run = next(each for each in results.all() if each.evaluations.exists())
    shutil.rmtree(run.snapshots)
    next(run.evaluations.glob("*/samples.npy")).unlink()
    code, said = verify(results, capsys)
    assert code == 1
    assert said.out.count(" is missing: delete ") == 2


def test_shared_features_are_checked_with_all_runs(results, capsys):
    features = next(results.cache.rglob("*.npy"))
    flip(features)
    code, said = verify(results, capsys)
    assert code == 1
    assert f"{features}: is not the file that was written: it is recomputed" in said.out
    assert verify(results, capsys, results.all()[0].id)[0] == 0
    hash_path(features).unlink()
    assert verify(results, capsys)[0] == 0, "features without a hash are recomputed anyway"
    for stray in ("train-features.npy - Copy.sha256", "train-features.npy.sync-conflict-1.sha256", "._a.npy.sha256"):
        (features.parent / stray).write_text("0\n")
    assert verify(results, capsys)[0] == 0, "copies by file managers and synchronisers are passed over"


@pytest.mark.parametrize("form", ["bundle", "bundle.zip"])
def test_a_bundle_is_verified_with_its_records(results, tmp_path, capsys, form):
    path = tmp_path / form
    write_bundle(path, [build(PAPER, TABLE, LAPTOP, results)], results)
    code, said = verify(results, capsys, "--from", str(path))
    assert code == 0, said
    content = bytearray(path.read_bytes()) if path.is_file() else None
    damaged = next(path.rglob("accuracy-*.json"), None) if content is None else path
    damaged.write_bytes(damaged.read_bytes().replace(b"accuracy", b"accurate", 1))
    code, said = verify(results, capsys, "--from", str(path))
    assert code == 1
    assert said.err.startswith(f"harness: {path}") or "cannot read" in said.err


def test_unknown_runs_and_bundles_are_one_line(results, capsys):
    code, said = verify(results, capsys, "zzz")
    assert (code, said.err.count("\n")) == (2, 1)
    code, said = verify(results, capsys, "--from", str(results.root / "absent"))
    assert (code, said.err.count("\n")) == (1, 1)
    code, said = verify(results, capsys, results.all()[0].id, "--from", str(results.root))
    assert (code, said.err) == (2, f"harness: a bundle is verified as a whole: leave out {results.all()[0].id}\n")


def test_a_record_that_does_not_count_is_named(results, capsys):
    run = next(each for each in results.all() if each.evaluations.exists())
    path = run.record_path(Accuracy())
    path.write_text(path.read_text().replace(sha256_of(run.weights), "f" * 64))
    code, said = verify(results, capsys)
    assert code == 1
    assert f"{path}: was measured with other weights than training.json states: " in said.out


def test_a_damaged_decision_is_named(results, capsys):
    """Without this, reports would stop at a file that `verify` calls intact."""
    decision = Decision(papers=("hybvit",), scale="laptop", exhibits=("hybvit/table6",), most_seeds=10)
    path = path_of(results.root, decision.id)
    decision.save(path)
    assert verify(results, capsys)[0] == 0
    path.write_bytes(path.read_bytes()[:50])
    code, said = verify(results, capsys)
    assert code == 1 and f"{path}: Expecting" in said.out and "1 problem" in said.out
