"""The wheel: its names and contents, and the messages of a clone that is not installed."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from harness import INSTALL

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy: a build leaves files behind."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("harness", "experiments"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, copy]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_a_wheel_installs_two_packages_and_no_experiments(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"harness", "harness_papers"}


def test_a_wheel_holds_every_module_and_every_file_of_the_page(wheel):
    inside = set(wheel.namelist())
    wanted = [path for path in (ROOT / "harness").rglob("*") if path.suffix in {".py", ".j2", ".css", ".js", ".typed"}]
    names = {path.relative_to(ROOT).as_posix() for path in wanted}
    papers = (ROOT / "experiments").rglob("*.py")
    names |= {f"harness_papers/{path.relative_to(ROOT / 'experiments').as_posix()}" for path in papers}
    assert len(names) > 300 and names <= inside


def test_the_name_is_free_and_its_extras_are_its_own(wheel):
    (metadata,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    text = wheel.read(metadata).decode()
    assert "\nName: paper-harness\n" in text
    extras = PROJECT["optional-dependencies"]
    own = [need for needs in extras.values() for need in needs if "harness" in need]
    assert own and all(re.fullmatch(r"paper-harness\[\w+\]", need) for need in own)
    assert {re.search(r"\[(\w+)\]", need)[1] for need in own} <= set(extras)


def test_hybvit_is_registered_as_any_other_paper_is():
    (hybvit,) = [entry for entry in entry_points(group="harness.papers") if entry.name == "hybvit"]
    assert hybvit.value == PROJECT["entry-points"]["harness.papers"]["hybvit"] == "harness_papers.hybvit.paper:PAPER"


@pytest.mark.parametrize("arguments", [["list"], ["run", "table6"], ["plan", "hybvit/table6"]])
def test_a_clone_that_is_not_installed_says_how_to_install_it(tmp_path, arguments):
    """The libraries are installed, but the metadata of the harness is missing."""
    hide = "import sys, importlib.metadata as m; m.entry_points = lambda **k: m.EntryPoints(); "
    script = f"{hide}from harness.cli.main import main; sys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"harness: no paper is installed: in a clone of the harness, {INSTALL}\n"


def test_a_missing_library_is_named_with_the_command_that_installs_it(tmp_path):
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError('No module named click', name='click')\n")
    command = [sys.executable, "-m", "harness", "list"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"harness: the package 'click' is not installed: {INSTALL}\n"
