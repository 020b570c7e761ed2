"""Whole runs through the command line: measured, recomputed by hand, shared, damaged, raced."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm
from snapshots import snapshot

TEXT_ALONE = ("--no-figures", "--format", "json")


def ids(results):
    return sorted(path.name for path in (results / "runs").iterdir())


def test_a_table_is_run_and_reported(finished, harness):
    results, done = finished
    assert "2 of 2 runs are done at scale laptop" in done.stdout
    report = json.loads(harness("report", "toy/table101", "--json", results=results).stdout)["tables"][0]
    assert report["coverage"] == {"measured": 5, "wanted": 5}
    cells = report["rows"][0]["cells"]
    assert cells["fid"]["measured_as"] == "FD(digits)"
    assert 0 <= cells["accuracy"]["measured"]["mean"] <= 100
    assert report["feature_spaces"][0]["test_accuracy"] > 95


def test_the_numbers_follow_from_the_stored_arrays(finished, harness, data_root):
    """Recompute accuracy, distance and score from the arrays in a run directory, with other code."""
    results, _ = finished
    report = json.loads(harness("report", "toy/table101", "--json", results=results).stdout)["tables"][0]
    for row in report["rows"][:2]:
        for metric, cell in row["cells"].items():
            if cell["measured"] is None:
                continue
            run = results / "runs" / cell["measured"]["runs"][0] / "evaluations"
            if metric == "accuracy":
                logits, labels = (np.load(next(run.glob(f"accuracy-*/{name}.npy"))) for name in ("logits", "labels"))
                expected = 100 * np.mean(logits.argmax(1) == labels)
            elif metric == "fid":
                expected = recomputed_distance(run, results, data_root)
            else:
                expected = recomputed_score(run)
            assert cell["measured"]["mean"] == pytest.approx(expected, rel=1e-4)


def features_of(images, results):
    import torch
    from safetensors.torch import load_file

    from harness.data.catalogue import DIGITS
    from harness.models.small_cnn import SmallCNN

    network = SmallCNN(DIGITS)
    network.load_state_dict(load_file(next((results / "cache").rglob("weights.safetensors"))))
    with torch.inference_mode():
        return network(torch.tensor(np.array(images)) / 127.5 - 1)[0].double().numpy()


def recomputed_distance(run, results, data_root):
    samples = np.load(next(run.glob("generation-*/samples.npy")))
    assert samples.dtype == np.uint8
    train = np.load(data_root / "digits" / "train-images.npy")
    a, b = features_of(samples, results), features_of(train, results)
    root = sqrtm(np.cov(a.T) @ np.cov(b.T) + 1e-12 * np.eye(a.shape[1])).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)


def recomputed_score(run):
    logits = np.load(next(run.glob("generation-*/sample_logits.npy"))).astype(float)
    logits = logits[np.random.RandomState(2020).permutation(len(logits))]
    scores = []
    for part in np.array_split(logits, 3):
        p = np.exp(part - part.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        scores.append(np.exp((p * np.log(p / p.mean(0))).sum(1).mean()))
    return np.mean(scores)


def test_one_run_is_evaluated_at_its_end_and_half_way(harness, long_run, data_root):
    """Two rows share a training; each has its own weights, which reproduce its numbers."""
    import torch
    from safetensors.torch import load_file
    from toy_paper import LONG

    from harness.data.catalogue import DIGITS
    from harness.data.loaders import ResidentLoader
    from harness.data.prepared.dataset import open_dataset
    from harness.methods.base import build_method
    from harness.randomness import Stream

    assert ids(long_run) == [LONG.id]
    run = long_run / "runs" / LONG.id
    report = json.loads(harness("report", "toy/table102", "--json", results=long_run).stdout)["tables"][0]
    test = ResidentLoader(open_dataset(DIGITS, data_root).split("test"), torch.device("cpu"))
    model, distances = build_method(LONG.config, torch.device("cpu")).eval(), []
    for row, weights in zip(report["rows"], ("weights", "snapshots/5"), strict=True):
        model.load_state_dict(load_file(run / f"{weights}.safetensors"))
        with torch.inference_mode():
            bits, correct = [], 0
            for batch in test.blocks(100):
                stream = Stream(LONG.config.seed, "evaluation", "likelihood")
                bits += model.bits_per_dim(batch.images, stream, batch.indices).tolist()
                correct += int((model.logits(batch.images).argmax(1) == batch.labels).sum())
        assert row["cells"]["bpd"]["measured"]["mean"] == pytest.approx(np.mean(bits), rel=1e-5)
        assert row["cells"]["accuracy"]["measured"]["mean"] == pytest.approx(100 * correct / 360)
        distances.append(row["cells"]["fid"]["measured"]["mean"])
    assert distances[0] != distances[1]
    assert "Part_1" in harness("report", "toy/table102", *TEXT_ALONE, results=long_run).stdout


def test_a_device_that_is_not_there_is_refused(finished, harness):
    results, _ = finished
    for device in ("cuda:7", "gpu", "mps"):
        done = harness.warm("worker", ids(results)[0], "--device", device, results=results)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert f"'{device}'" in done.stderr


def test_running_again_starts_nothing(finished, harness, monkeypatch):
    results, _ = finished
    before = snapshot(results)
    monkeypatch.setattr("harness.launch.local.LocalExecutor.execute", None)
    monkeypatch.setattr("harness.launch.launchers.Launcher.start", None)
    done = harness("run", "toy/table101", results=results)
    assert done.returncode == 0
    assert "nothing to do: all 2 runs are done" in done.stdout
    assert snapshot(results) == before


def test_the_record_tells_where_the_number_comes_from(finished):
    results, _ = finished
    for id in ids(results):
        run = results / "runs" / id
        segment = json.loads((run / "segments" / "1.json").read_text())
        assert segment["device"] == "cpu"
        assert segment["threads"] == 1
        assert segment["versions"]["torch"].startswith("2.")
        assert segment["commit"] is None or re.fullmatch("[0-9a-f]{40}", segment["commit"])
        training = json.loads((run / "training.json").read_text())
        assert len(training["data_sha256"]) == len(training["weights_sha256"]) == 64
        assert json.loads((run / "outcome.json").read_text())["state"] == "done"
        assert not (run / "checkpoints").exists()


def test_seeds_give_a_mean_and_a_standard_deviation(finished, harness, tmp_path):
    results = shutil.copytree(finished[0], tmp_path / "seeds")
    done = harness.warm("run", "toy/table101", "--rows", "Denoising", "--seeds", "3", results=results)
    assert done.returncode == 0, done.stderr
    report = json.loads(harness("report", "toy/table101", "--json", results=results).stdout)["tables"][0]
    measured = report["rows"][1]["cells"]["fid"]["measured"]
    values = []
    for id in measured["runs"]:
        record = next((results / "runs" / id / "evaluations").glob("generation-*.json"))
        values.append(json.loads(record.read_text())["quantities"]["frechet_distance"]["value"])
    assert len(set(values)) == measured["seeds"] == 3
    assert measured["mean"] == pytest.approx(np.mean(values))
    assert measured["sd"] == pytest.approx(np.std(values, ddof=1))


def test_one_failed_run_does_not_stop_the_others(harness):
    done = harness.warm("run", "toy/table103", "--workers", "1")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert re.search(r"harness: hybrid learning_rate=1e\+30 \(\w+\) failed: training diverged in epoch 1", done.stderr)
    status = json.loads(harness("status", "--json").stdout)
    assert status["totals"] == {"done": 1, "failed": 1}
    report = harness("report", "toy/table103", *TEXT_ALONE)
    assert "..." in report.stdout
    assert "1 of 2 cells are measured" in report.stdout


def test_fail_fast_stops_at_the_first_failure(harness):
    done = harness.warm("run", "toy/table103", "--workers", "1", "--fail-fast")
    assert done.returncode == 1
    assert "0 of 2 runs are done" in done.stdout
    assert json.loads(harness("status", "--json").stdout)["totals"]["failed"] == 1


def test_two_commands_at_once_execute_each_run_once(toy_environment, fresh_results, finished):
    results = fresh_results()
    command = [
        sys.executable,
        "-m",
        "harness",
        "--results",
        str(results),
        "run",
        "toy/table101",
        "--workers",
        "2",
    ]
    options = {"env": toy_environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **options) for _ in range(2)]
    for process in both:
        _, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
    for run in (results / "runs").iterdir():
        assert [path.name for path in (run / "segments").iterdir()] == ["1.json"]
        assert (run / "log.txt").read_text().count("training ") == 1
    assert snapshot(results) == snapshot(finished[0])


@pytest.mark.parametrize(
    ("pattern", "content", "reader", "reason"),
    [
        ("config.json", "{", "status", "Expecting property name enclosed in double quotes"),
        ("requests/generation-*.json", "[]", "status", "the evaluation does not match the file name"),
        ("evaluations/generation-*.json", '{"quantities": 3}', "report", "evaluation: Field required"),
        ("outcome.json", "\x00", "status", "Expecting value"),
        ("training.json", "{}", "status", "iterations: Field required"),
    ],
)
def test_a_corrupted_record_is_named_with_the_reason(finished, harness, tmp_path, pattern, content, reader, reason):
    """The command that needs it reports it in one line; the others still work, and the advice heals it."""
    results = shutil.copytree(finished[0], tmp_path / "copy")
    damaged = sorted(results.glob(f"runs/*/{pattern}"))
    assert len(damaged) == 2
    for path in damaged:
        path.write_text(content)
    for command in (["report", "toy/table101", *TEXT_ALONE], ["status"], ["plan", "toy/table101"]):
        done = harness.warm(*command, results=results)
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == 0
        if command[0] == reader:
            said = "".join((done.stdout + done.stderr).split())  # paths are broken at the end of a line
            for path in damaged:
                assert f"{path}: {reason}".replace(" ", "") in said
            assert said.count("deletethisfileandrunagain") == 2
    for path in damaged:
        path.unlink()
    done = harness.warm("run", "toy/table101", results=results)
    assert done.returncode == 0, done.stderr
    assert snapshot(results) == snapshot(finished[0])


def test_a_deleted_record_is_recomputed_without_training(finished, harness, tmp_path):
    results = shutil.copytree(finished[0], tmp_path / "copy")
    for path in results.glob("runs/*/evaluations/*.json"):
        path.unlink()
    done = harness.warm("run", "toy/table101", results=results)
    assert done.returncode == 0, done.stderr
    assert snapshot(results) == snapshot(finished[0])
    for run in (results / "runs").iterdir():
        first, second = (json.loads((run / "segments" / f"{n}.json").read_text()) for n in (1, 2))
        assert (first["first_step"], second["first_step"], second["steps"]) == (0, None, None)
        assert second["evaluations"].keys() == first["evaluations"].keys()
        assert second["seconds"] >= sum(second["evaluations"].values()) > 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for little more than the configuration of a run."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_fails_on_one_line_and_goes_on_when_there_is_room(small_disk, harness, finished):
    shutil.copytree(
        finished[0] / "cache", small_disk / "cache", ignore=shutil.ignore_patterns("*.safetensors", "*.npy")
    )
    done = harness.warm("run", "toy/table101", "--rows", "Hybrid*", results=small_disk)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert "cannot write" in done.stderr
    subprocess.run(["mount", "-o", "remount,size=10m", small_disk], check=True)
    shutil.copytree(finished[0] / "cache", small_disk / "cache", dirs_exist_ok=True)
    done = harness.warm("run", "toy/table101", "--rows", "Hybrid*", results=small_disk)
    assert done.returncode == 0, done.stderr
    everything = snapshot(finished[0])
    assert snapshot(small_disk).items() <= everything.items()


@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere; setpriv is missing"
)
def test_a_read_only_results_folder_is_one_line(tmp_path, toy_environment):
    results = tmp_path / "results"
    results.mkdir(mode=0o555)
    temporary = Path(tempfile.gettempdir())
    for parent in (tmp_path, *tmp_path.parents):
        if parent.is_relative_to(temporary) and parent != temporary:
            parent.chmod(0o755)
    folders = ["--results", str(results), "--data", str(tmp_path / "data")]
    command = [sys.executable, "-m", "harness", *folders, "run", "toy/table101"]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    environment = {name: value for name, value in toy_environment.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    if done.stderr.startswith("setpriv") or "can't open" in done.stderr or "No module named" in done.stderr:
        pytest.skip("another user cannot run this Python")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert re.search(r"harness: cannot write .*: Permission denied", done.stderr)
