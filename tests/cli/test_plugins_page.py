"""The example of docs/plugins.md, extracted from the page and run; and the class names in its table."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from distributions import install, on_path

from harness.config.family import Family
from harness.config.plugins import load_built_in
from harness.registry.figures import Plot

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m harness (.*?)(?: +#.*)?$", PAGE, re.MULTILINE)
FILE = re.compile(r"```(?:python|toml)\n# (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture
def blobs(tmp_path, toy_environment, harness):
    """Run a command with the page's example installed."""
    files = dict(FILE.findall(PAGE))
    assert set(files) == {"pyproject.toml", "blobs/paper.py", "blobs/nn.py", "blobs/plots.py"}
    (entry,) = re.findall(r'^(blobs = )"(blobs\.paper:PAPER)"$', files["pyproject.toml"], re.MULTILINE)
    install(tmp_path / "site", "blobs-paper", {**files, "blobs/__init__.py": ""}, papers=["".join(entry)])
    (tmp_path / "pyproject.toml").write_text(files["pyproject.toml"] + '[tool.harness]\npaper = "blobs"\n')
    environment = on_path(toy_environment, tmp_path / "site") | {"HARNESS_DATA": str(tmp_path / "data")}

    def run(*arguments):
        done = harness.warm(*arguments, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_example_runs_from_the_page(blobs, tmp_path):
    planned = json.loads(blobs("plan", "blobs", "--json"))["runs"]
    assert [run["parameters"] for run in planned] == [2 * 32 + 32 + 32 * 2 + 2] * 2
    assert [command.split()[0] for command in COMMANDS] == ["run", "run", "report"]
    for command in COMMANDS:
        blobs(*command.split())
    assert (tmp_path / "results" / "report" / "blobs" / "table1-errors.png").stat().st_size > 10_000
    (table,) = json.loads(blobs("report", "table1", "--json"))["tables"]
    plain, noisy = (row["cells"] for row in table["rows"])
    assert plain["accuracy"]["measured"]["mean"] > 85 and plain["accuracy"]["measured"]["seeds"] == 3
    assert 0 < plain["brier"]["measured"]["mean"] < noisy["brier"]["measured"]["mean"]
    (claim,) = table["claims"]
    assert [need["met"] for need in claim["presupposes"]] == [True] and claim["status"] != "beyond this scale"
    assert (plain["accuracy"]["reported_sd"], plain["accuracy"]["reported_n"]) == (0.4, 5)


def test_every_class_that_the_page_names_exists():
    named = set(re.findall(r"`(harness(?:\.\w+)+)`", PAGE)) - {"harness.papers", "harness.kinds"}
    assert len(named) > 20
    for name in named:
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_the_table_has_every_family():
    load_built_in()
    families = {f"{family.__module__}.{family.__name__}" for family in (*Family.__subclasses__(), Plot)}
    for family in families - {"harness.config.dataset.Dataset"}:
        name = family.rpartition(".")[2]
        assert re.search(rf"`harness\.[\w.]+\.{name}`", PAGE), f"{family} has no row"
