"""The example of docs/plugins.md, as it stands there: written into files, planned, run and reported."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import install, on_path

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
FILE = re.compile(r"```(?:python|toml)\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def blobs(tmp_path, toy_environment):
    """Run a command where the distribution of the page is installed."""
    files = dict(FILE.findall(PAGE.read_text()))
    assert set(files) == {"pyproject.toml", "blobs/paper.py", "blobs/nn.py"}
    (entry,) = re.findall(r'^(blobs = )"(blobs\.paper:PAPER)"$', files["pyproject.toml"], re.MULTILINE)
    install(tmp_path / "site", "blobs-paper", {**files, "blobs/__init__.py": ""}, papers=["".join(entry)])
    environment = on_path(toy_environment, tmp_path / "site") | {"HARNESS_DATA": str(tmp_path / "data")}

    def run(*arguments):
        command = [sys.executable, "-m", "harness", "--results", tmp_path / "results", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_example_runs_from_the_page(blobs):
    planned = json.loads(blobs("plan", "blobs", "--json"))["runs"]
    assert [run["parameters"] for run in planned] == [2 * 32 + 32 + 32 * 2 + 2] * 2
    blobs("run", "blobs")
    (table,) = json.loads(blobs("report", "blobs", "--json"))["tables"]
    plain, noisy = (row["cells"] for row in table["rows"])
    assert plain["accuracy"]["measured"]["mean"] > 85
    assert 0 < plain["brier"]["measured"]["mean"] < noisy["brier"]["measured"]["mean"]
    assert (plain["accuracy"]["reported_sd"], plain["accuracy"]["reported_n"]) == (0.4, 5)
