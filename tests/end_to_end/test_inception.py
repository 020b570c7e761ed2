"""FID through the command line: without weights, with other weights, and never called FID unless it is."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from few import prepare_few
from toy_paper import ON_FEW

TABLE = "toy/table104"
TEXTS = ("--no-figures", "--format", "markdown,latex,csv")


@pytest.fixture(scope="module")
def few_root(tmp_path_factory):
    return prepare_few(tmp_path_factory.mktemp("few")).folder.parent


@pytest.fixture(scope="module")
def digits(inception_weights):
    return hashlib.sha256(inception_weights.read_bytes()).hexdigest()[:8]


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory):
    """A results directory, filled by the first test."""
    return tmp_path_factory.mktemp("incomplete")


@pytest.fixture
def command(harness, toy_environment, few_root, incomplete, tmp_path):
    """Run a command that finds the prepared weights only."""
    environment = toy_environment | {"HARNESS_DATA": str(few_root), "TORCH_HOME": str(tmp_path)}

    def run(*arguments):
        way = harness.warm if arguments[0] == "run" else harness
        return way(*arguments, results=incomplete, env=environment)

    return run


def reported(command, *arguments):
    return json.loads(command("report", TABLE, "--json", *arguments).stdout)["tables"][0]


def test_without_weights_the_rest_is_measured_and_the_cell_says_so(command, few_root, incomplete):
    done = command("run", TABLE)
    how = f"needs Inception weights: python -m harness --data {few_root} data prepare inception --download"
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"harness: few ({ON_FEW.id}) failed: {how}" in done.stderr
    cells = reported(command)["rows"][0]["cells"]
    assert cells["bpd"]["measured"]["mean"] > 0
    assert cells["fid"]["measured"] is None
    assert cells["fid"]["needs"].startswith(how)
    text = " ".join(command("report", TABLE, *TEXTS).stdout.split())
    assert text.count("needs Inception weights") >= 2
    assert how.replace("needs", "Needs") in text
    for name in ("table104.md", "table104.tex"):
        assert "needs Inception weights" in (incomplete / "report" / "toy" / name).read_text()
    again = command("run", TABLE)
    assert (again.returncode, again.stderr) == (1, done.stderr)
    assert (incomplete / "runs" / ON_FEW.id / "log.txt").read_text().count("training ") == 1


def test_other_weights_measure_something_that_is_not_called_fid(command, incomplete, inception_weights, digits):
    refused = command("data", "prepare", "inception", "--from", inception_weights)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    prepared = command("data", "prepare", "inception", "--from", inception_weights, "--unverified")
    assert f"--also weights={digits}" in prepared.stdout
    also = ("--also", f"weights={digits}")
    done = command("run", TABLE, *also)
    assert done.returncode == 1
    assert f"--also weights={digits} measures with the other" in done.stderr
    row = reported(command, *also)["rows"][0]
    found = row["cells"]["fid"]["readings"][f"weights={digits}"]
    assert found["measured_as"] == f"FD(inception {digits})"
    assert row["cells"]["fid"]["verdict"] == "MISSING"
    assert set(row["further"]) == {"precision", "recall", "density", "coverage"}
    evaluations = incomplete / "runs" / ON_FEW.id / "evaluations"
    features = np.load(next(evaluations.glob("generation-*/features.npy"))).astype(float)
    reference = np.load(next((incomplete / "cache" / "features").glob("inception-*/train-features.npy"))).astype(float)
    assert found["mean"] == pytest.approx(distance_by_singular_values(features, reference), rel=1e-5)
    record = json.loads(next(evaluations.glob("generation-*.json")).read_text())
    assert record["details"]["feature_space"]["weights_sha256"].startswith(digits)
    assert record["details"]["reference_n"] == 32
    terminal = command("report", TABLE, *TEXTS, *also, "--with", "precision").stdout
    for ending in ("md", "tex", "csv"):
        text = (incomplete / "report" / "toy" / f"table104.{ending}").read_text()
        assert f"FD(inception {digits})" in text or (ending == "tex" and f"{digits})" in text), (
            "headings are set in lines"
        )
    assert f"FID / FID@16 train, FD(inception {digits})" in terminal
    assert f"precision(inception {digits})" in terminal
    assert "which are not the published ones" in " ".join(terminal.split())


def distance_by_singular_values(a, b):
    """The trace of (AB)^(1/2) is the sum of the singular values of the product of centred features."""
    a_mean, b_mean = a.mean(axis=0), b.mean(axis=0)
    left, right = (a - a_mean) / np.sqrt(len(a) - 1), (b - b_mean) / np.sqrt(len(b) - 1)
    trace = (left**2).sum() + (right**2).sum() - 2 * np.linalg.svd(left @ right.T, compute_uv=False).sum()
    return ((a_mean - b_mean) ** 2).sum() + trace


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sample=50000", "did you mean 'samples'"),
        ("samples", "write settings as in samples=50000"),
        ("samples=many", "samples='many'"),
        ("weights=xyz", "weights='xyz'"),
    ],
)
def test_a_protocol_that_there_is_not_is_one_line(command, text, part):
    done = command("plan", TABLE, "--also", text)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert part in done.stderr


def test_a_metric_that_there_is_not_is_one_line(command):
    done = command("report", TABLE, "--with", "precison")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "did you mean 'precision'" in done.stderr


def test_more_samples_are_planned_beside_the_paper_s(command):
    plan = json.loads(command("plan", TABLE, "--also", "samples=50", "--json").stdout)
    (run,) = plan["runs"]
    counts = sorted(e["samples"] for e in run["evaluations"] if e["kind"] == "generation")
    assert counts == [16, 50]
    assert Path(run["id"]).name == ON_FEW.id
