"""A paper of the tests' own: tiny runs on the digits, offered by an entry point like any installed paper's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from slurm_lab import cluster, slurm_lab

from harness.torchvision_shim import make_torchvision_importable

__all__ = ["cluster", "slurm_lab"]

TESTS = Path(__file__).parent
torch.set_num_threads(1)
make_torchvision_importable()  # torchmetrics imports it


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    """A data folder that all tests share: the digits are prepared once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """A file of the true format with random weights."""
    from inception import write_weights

    return write_weights(tmp_path_factory.mktemp("weights") / "random.pth")


@pytest.fixture(scope="session")
def toy_environment(data_root):
    """The environment of a process that finds the toy paper."""
    paths = [str(TESTS.parent), str(TESTS / "support")]
    return os.environ | {
        "PYTHONPATH": ":".join(paths),
        "HARNESS_DATA": str(data_root),
        "HARNESS_CHECKPOINT_SECONDS": "0.05",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory, toy_environment):
    """A results directory in which the toy's first table was run, and what the command printed."""
    results = tmp_path_factory.mktemp("finished")
    command = [sys.executable, "-m", "harness", "--results", str(results), "run", "toy/table101"]
    done = subprocess.run(command, env=toy_environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return results, done


@pytest.fixture
def fresh_results(finished, tmp_path):
    """Make results directories without runs, in which the feature space needs no training any more."""

    def make(name="results"):
        shutil.copytree(finished[0] / "cache", tmp_path / name / "cache")
        return tmp_path / name

    return make


@pytest.fixture
def harness(toy_environment, tmp_path):
    """Run the command line in a process of its own, with a results directory of its own."""

    def run(*arguments, results=tmp_path / "results", **options):
        command = [sys.executable, "-m", "harness", "--results", str(results), *map(str, arguments)]
        options = {"env": toy_environment, "capture_output": True, "text": True, "timeout": 300} | options
        return subprocess.run(command, **options)

    return run
