"""A paper of the tests' own: tiny runs on the digits, offered by an entry point like any installed paper's."""

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
    parser.addoption("--seconds-to", metavar="FILE", help="write what each test took, the slowest first")
    parser.addoption("--longest", type=float, metavar="SECONDS", help="fail where a test takes longer; see seconds.py")


def pytest_configure(config):
    if config.getoption("--no-processes"):
        config.pluginmanager.register(NoProcesses())
    path, longest = config.getoption("--seconds-to"), config.getoption("--longest")
    if (path or longest) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds(path, longest))


def pytest_collection_modifyitems(items):
    """Give long tests more time, and tests that start processes, since those wait for each other."""
    for item in items:
        is_patient = item.get_closest_marker("soak") or not PATIENT.isdisjoint(item.fixturenames)
        if is_patient and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def data_root(tmp_path_factory):
    """A data folder that all tests share: the digits are prepared once."""
    folder = everyones(tmp_path_factory, "data")
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory):
    """A file of the true format with random weights."""
    from inception import write_weights

    return write_weights(tmp_path_factory.mktemp("weights") / "random.pth")


@pytest.fixture(scope="session")
def toy_environment(data_root):
    """The environment of a process that finds the toy paper."""
    return surroundings.toy_environment(data_root)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, toy_environment):
    """A results directory in which the toy's first table was run, and what the command printed."""

    def make(folder):
        return warm.call(toy_environment, ["--results", str(folder), "run", "toy/table101"])

    return results_of(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def long_run(tmp_path_factory, toy_environment, finished):
    """A results directory with the toy's longer run, which nothing has disturbed."""

    def make(folder):
        shutil.copytree(finished[0] / "cache", folder / "cache")
        return warm.call(toy_environment, ["--results", str(folder), "run", "toy/table102"])

    return results_of(tmp_path_factory, "long", make)[0]


@pytest.fixture(scope="session")
def undisturbed(long_run):
    """What of the longer run must not depend on how it came about."""
    return snapshot(long_run)


@pytest.fixture
def fresh_results(finished, tmp_path):
    """Make results directories without runs, in which the feature space needs no training any more."""

    def make(name="results"):
        shutil.copytree(finished[0] / "cache", tmp_path / name / "cache")
        return tmp_path / name

    return make


@pytest.fixture
def harness(toy_environment, tmp_path):
    """Call the command line, with a results directory of the test's own; commands.py says in which ways."""
    return CommandLine(tmp_path / "results", toy_environment)
