"""The files of an installed distribution, in every form of installation, and their git state."""

import hashlib
import json
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from forgetting import forget
from installed_forms import (
    CODE,
    FORMS,
    beside,
    commit,
    editable_by_a_path,
    editable_by_the_root,
    git,
    metadata,
    regular,
    write,
)

from harness.store import package_files
from harness.store.distributions import installed, offering, own_distribution, owner_of
from harness.store.package_files import packages_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def put(monkeypatch):
    """Prepend folders to the path of this process, for one test."""

    def call(*folders):
        for folder in folders:
            monkeypatch.syspath_prepend(str(folder))
        forget()
        return installed("brew-paper")

    yield call
    monkeypatch.undo()
    forget()


def hash_of(files):
    listed = [[name, hashlib.sha256(files[name].encode()).hexdigest()] for name in sorted(files)]
    return hashlib.sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_same_files_and_the_same_hash_in_every_form(form, put, tmp_path):
    found = put(*form(tmp_path))
    assert (found.name, found.version, found.commit, found.dirty) == ("brew-paper", "1.2", None, None)
    assert sorted(found.files) == sorted(CODE)
    assert sorted(packages_of(distribution("brew_paper"))) == ["brew", "brew_nn", "brew_tools"]
    assert found.sha256 == hash_of(CODE)
    assert found in offering()
    assert {owner_of(module) for module in ("brew", "brew.kinds", "brew_tools.grind", "brew_nn")} == {found}
    assert owner_of("train") is owner_of("tests.test_brew") is None


def test_the_harness_is_the_distribution_that_setuptools_has_installed():
    own = own_distribution()
    assert {
        "harness/config/run.py",
        "harness/report/html/page.css",
        "harness_papers/hybvit/paper.py",
    } <= own.files.keys()
    assert own.files["harness_papers/hybvit/paper.py"] == ROOT / "experiments/hybvit/paper.py"
    assert {name.partition("/")[0] for name in own.files} == {"harness", "harness_papers"}
    assert owner_of("harness.config.methods") is owner_of("harness_papers.hybvit.runs") is own
    assert owner_of("numpy.random").name == "numpy", "not a plugin, but an installed distribution"


def test_git_says_what_belongs_to_the_code(put, tmp_path):
    """Tracked data and new, untracked source count; new data and ignored files do not."""
    site, source = editable_by_a_path(tmp_path)
    write(tmp_path / "project", {".gitignore": "ignored.py\n*.log\n", "src/brew/ignored.py": ""})
    at = commit(tmp_path / "project")
    found = put(site, source)
    assert (found.commit, found.dirty) == (at, False)
    assert sorted(found.files) == sorted([*CODE, "brew/weights.npz"])
    write(source, {"brew/new.py": "", "brew/new.json": ""})
    found = put()
    assert (found.commit, found.dirty) == (at, True)
    assert sorted(found.files) == sorted([*CODE, "brew/weights.npz", "brew/new.py"])
    before = found.sha256
    (source / "brew/new.py").unlink()
    (source / "brew/table.csv").write_text("1,3\n")
    found = put()
    assert (found.commit, found.dirty) == (at, True) and found.sha256 != before


def test_the_state_is_that_of_the_repository_of_the_files(put, tmp_path, monkeypatch):
    """Not that of a surrounding repository with an installed copy, nor that of a calling git hook."""
    write(tmp_path, {"thesis.tex": "", ".gitignore": ".venv\n"})
    around = commit(tmp_path)
    (site,) = regular(tmp_path / ".venv")
    found = put(site)
    assert (found.commit, found.dirty, found.sha256) == (None, None, hash_of(CODE))
    shutil.rmtree(site)
    folders = editable_by_the_root(tmp_path / "checkouts")
    write(tmp_path, {".gitignore": "checkouts\n.venv\n"})
    inside = commit(folders[1])
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    found = put(*folders)
    assert (found.commit, found.dirty) == (inside, False) and inside != around


def test_an_installed_harness_does_not_take_the_users_commit(tmp_path):
    write(tmp_path, {"thesis.tex": ""})
    commit(tmp_path)
    site = tmp_path / "env/site-packages"
    for folder, package in (("harness", "harness"), ("experiments", "harness_papers")):
        shutil.copytree(ROOT / folder, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    ask = [sys.executable, "-c", "from harness.store.provenance import git_state; print(git_state())"]
    environment = {"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"}
    assert subprocess.check_output(ask, env=environment, cwd=tmp_path, text=True) == "(None, None)\n"
    git(site, "init")
    git(site, "add", "harness", "harness_papers")
    git(site, "commit", "--message", "their own")
    (site / "harness/__init__.py").write_text((site / "harness/__init__.py").read_text() + "\n")
    own = git(site, "rev-parse", "HEAD").strip()
    assert subprocess.check_output(ask, env=environment, cwd=tmp_path, text=True) == f"('{own}', True)\n"


def test_a_commit_that_pip_has_installed_is_known(put, tmp_path):
    (site,) = regular(tmp_path)
    origin = {"url": "https://example.org/brew.git", "vcs_info": {"vcs": "git", "commit_id": "4" * 40}}
    write(site / "brew_paper-1.2.dist-info", {"direct_url.json": json.dumps(origin)})
    found = put(site)
    assert (found.commit, found.dirty, found.sha256) == ("4" * 40, False, hash_of(CODE))


def test_what_stands_first_on_the_path_is_what_runs(put, tmp_path):
    """A copy of the code hides the installed one, including its helper packages."""
    (site,) = regular(tmp_path)
    copied = {**CODE, "brew/paper.py": "import brew_tools.grind\nPAPER = 1\n"}
    assert put(site, write(tmp_path / "copy", copied)).sha256 == hash_of(copied)


@pytest.mark.parametrize("listed", [True, False])
def test_distributions_may_share_a_namespace(put, tmp_path, listed):
    code = {"lab/brew/__init__.py": "", "lab/brew/paper.py": "PAPER = None\n"}
    (site,) = beside(tmp_path / "brew")
    shutil.rmtree(site)
    write(site, code)
    entry = "[harness.papers]\nbrew = lab.brew.paper:PAPER\n"
    metadata(site, record=code if listed else None, **{"entry_points.txt": entry})
    other = write(site if listed else tmp_path / "other", {"lab/other/__init__.py": "", "lab/other/kinds.py": ""})
    found = put(other, site)
    assert sorted(found.files) == sorted(code)
    assert owner_of("lab.brew.paper") is found and owner_of("lab.other.kinds") is None


def test_a_distribution_whose_code_is_gone_is_of_no_files_and_no_harm(put, tmp_path):
    (site,) = beside(tmp_path)
    shutil.rmtree(site / "brew")
    write(site / "brew_paper-1.2.dist-info", {"entry_points.txt": "[harness.papers]\nbrew = brew papers\n"})
    assert put(site).files == {} and offering()[0] is own_distribution()
    assert installed("nothing-of-this-name") is None


def test_where_all_distributions_lie_side_by_side_imports_are_not_followed(put, tmp_path, monkeypatch):
    (site,) = beside(tmp_path)
    assert "brew_tools/grind.py" in put(site).files
    monkeypatch.setattr(package_files, "_shared_folders", lambda: {site})
    assert {name.partition("/")[0] for name in put().files} == {"brew"}
