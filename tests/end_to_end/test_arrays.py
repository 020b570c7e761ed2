"""An external paper on non-image data: listed, run, rehearsed and reported like any other."""

import json

import numpy as np
import pytest
from distributions import install, on_path
from points_paper import CLOUD, EVALUATIONS, POINTS

from harness.store.results import Results


@pytest.fixture
def points(harness, toy_environment, tmp_path):
    """Run the command line with the paper about points installed."""
    install(tmp_path / "site", "points-paper", {}, papers=["points = points_paper:PAPER"])
    environment = on_path(toy_environment, tmp_path / "site") | {"HARNESS_DATA": str(tmp_path / "data")}

    def run(*arguments, **options):
        return harness.warm(*arguments, env=environment, **options)

    return run


def test_its_table_is_trained_validated_measured_and_reported(points, tmp_path):
    done = points("run", "points")
    assert done.returncode == 0, done.stderr
    assert "loader: resident (arrays that fit into half of the free memory), 1 run" in done.stdout
    directory = Results(tmp_path / "results").directory(CLOUD)
    curve = [json.loads(line) for line in directory.metrics.read_text().splitlines()]
    assert len(curve) == 3 and curve[-1]["test_accuracy"] > 50
    report = json.loads(points("report", "points", "--json").stdout)
    (row,) = report["tables"][0]["rows"]
    assert all(cell["measured"]["mean"] > 0 for cell in row["cells"].values()), row
    (samples,) = directory.evaluations.glob("*/samples.npy")
    assert np.load(samples).dtype == np.float32
    listed = {entry["dataset"]: entry for entry in json.loads(points("data", "list", "--json").stdout)}
    assert listed["points"]["state"] == "prepared"
    assert listed["points"]["needed_by"] == ["points/table1", "points/table2"]
    assert listed["points"]["bytes"] > 540 * POINTS.example_bytes
    assert listed["far"]["state"] == "missing"
    refused = points("sample", CLOUD.id)
    assert refused.returncode == 2
    assert refused.stderr == f"harness: cloud ({CLOUD.id}) has no pictures: dataset 'points' holds arrays\n"


def test_it_is_rehearsed_with_its_own_data(points):
    done = points("run", "points", "--rehearse", "--json")
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    assert run["ok"] and run["record"]["random_pixels"] == []
    assert len(run["record"]["evaluations"]) == len(EVALUATIONS)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--dry-run",),
        ("--rehearse",),
        ("--executor", "torchrun", "--nproc-per-node", "2"),
        ("--executor", "slurm", "--profile", "lab"),
    ],
)
def test_ffcv_is_refused_before_anything_starts(points, tmp_path, options):
    done = points("run", "points", "--loader", "ffcv", *options)
    assert done.returncode == 1
    assert done.stderr == (
        "harness: FFCV supports only images with classes, but dataset 'points' holds arrays: use --loader auto, "
        "resident or torch\n"
    )
    assert not (tmp_path / "results" / "runs").exists() and not (tmp_path / "results" / "rehearsals").exists()
    assert not (tmp_path / "data").exists()


def test_ffcv_is_refused_to_retries_and_by_workers_too(points, tmp_path):
    directory = Results(tmp_path / "results").directory(CLOUD)
    directory.request(CLOUD, EVALUATIONS.values())
    worker = points("worker", CLOUD.id, "--loader", "ffcv", "--device", "cpu")
    assert worker.returncode == 1 and "Traceback" not in worker.stderr
    failed = directory.outcome.read_text()
    assert "dataset 'points' holds arrays: use --loader auto, resident or torch" in failed
    done = points("retry", CLOUD.id, "--loader", "ffcv")
    assert done.returncode == 1 and done.stderr.startswith("harness: FFCV supports only images with classes")
    assert directory.outcome.read_text() == failed, "the failure is still recorded"


def test_without_the_paper_its_data_are_said_to_be_nobodys(harness):
    done = harness.warm("data", "prepare", "points")
    assert done.returncode == 2
    assert done.stderr.startswith("harness: unknown dataset 'points', which no installed paper offers: ")
