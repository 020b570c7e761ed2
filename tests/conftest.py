"""Shared fixtures: a toy paper with tiny runs on the digits, found through an entry point like an installed paper."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # as in workers; torch reads it when it is imported

import shutil

import pytest
import surroundings
import warm
from commands import CommandLine
from no_processes import NoProcesses
from seconds import Seconds
from shared import everyones, results_of
from slurm_lab import cluster, slurm_lab
from snapshots import snapshot

__all__ = ["cluster", "slurm_lab"]
PATIENT = {"toy_environment", "slurm_lab", "browser"}
"""Fixtures of tests that start processes."""


def pytest_addoption(parser):
    parser.addoption("--no-processes", action="store_true", help="skip tests that start a process")
    parser.addoption("--seconds-to", metavar="FILE", help="write the duration of each test, slowest first")
    parser.addoption("--longest", type=float, metavar="SECONDS", help="fail if a test takes longer; see seconds.py")
    parser.addoption("--storm", type=float, default=1.0, metavar="FACTOR", help="size of storms; 0 for one case")
    parser.addoption("--storm-seed", type=int, default=0, metavar="N", help="seed of the first case of storms")


def pytest_configure(config):
    if config.getoption("--no-processes"):
        config.pluginmanager.register(NoProcesses())
    path, longest = config.getoption("--seconds-to"), config.getoption("--longest")
    if (path or longest) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds(path, longest))


def pytest_collection_modifyitems(items):
    """Give soak tests and tests that start processes a longer timeout, and run their files first.

    Their processes wait for each other; short files at the end keep all workers of pytest-xdist busy.
    """
    patient = set()
    for item in items:
        if item.get_closest_marker("soak") or not PATIENT.isdisjoint(item.fixturenames):
            patient.add(item.path)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))
    items.sort(key=lambda item: item.path not in patient)


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    """A data folder that all tests share; the digits are prepared once."""
    folder = everyones(tmp_path_factory, "data")
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """Random weights in the format of the published file."""
    from inception import write_weights

    return write_weights(tmp_path_factory.mktemp("weights") / "random.pth")


@pytest.fixture(scope="session")
def toy_environment(data_root):
    """Environment variables with which a process finds the toy paper."""
    return surroundings.toy_environment(data_root)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, toy_environment):
    """A results directory in which the toy's first table was run, and the output of that command."""

    def make(folder):
        return warm.call(toy_environment, ["--results", str(folder), "run", "toy/table101"])

    return results_of(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def long_run(tmp_path_factory, toy_environment, finished):
    """A results directory with the toy's longer run, never interrupted."""

    def make(folder):
        shutil.copytree(finished[0] / "cache", folder / "cache")
        return warm.call(toy_environment, ["--results", str(folder), "run", "toy/table102"])

    return results_of(tmp_path_factory, "long", make)[0]


@pytest.fixture(scope="session")
def undisturbed(long_run):
    """Snapshot of the longer run that interrupted runs must reproduce."""
    return snapshot(long_run)


@pytest.fixture
def fresh_results(finished, tmp_path):
    """Create results directories without runs but with a trained feature space in the cache."""

    def make(name="results"):
        shutil.copytree(finished[0] / "cache", tmp_path / name / "cache")
        return tmp_path / name

    return make


@pytest.fixture
def harness(toy_environment, tmp_path):
    """Call the command line with a results directory of its own; see commands.py for the three ways."""
    return CommandLine(tmp_path / "results", toy_environment)
