"""Snapshots: deterministic bytes, sufficient for jobs, and limited to code."""

import json
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import installed_forms as brew
import mixup
import pytest

from harness.errors import HarnessError
from harness.launch.slurm import snapshot
from harness.launch.slurm.snapshot import take
from harness.store.distributions import Installed
from harness.store.provenance import git_state

ASKED = """
import json, harness.worker.stop, toy_paper
from harness.registry.papers import papers
from harness.store.provenance import git_state
print(json.dumps([harness.worker.stop.__file__, toy_paper.__file__, sorted(papers()), git_state()]))
"""
TAKE = """
import sys; from pathlib import Path; from harness.launch.slurm.snapshot import take
print(take(Path(sys.argv[1])).sha256)
"""


def test_equal_code_makes_equal_bytes_and_runs_from_the_archive(tmp_path, toy_environment):
    first, second = take(tmp_path / "a.zip"), take(tmp_path / "b.zip")
    assert first.sha256 == second.sha256
    assert (first.commit, first.dirty) == git_state()
    alone = toy_environment | {"PYTHONPATH": str(tmp_path / "a.zip"), "PYTHONSAFEPATH": "1"}
    said = subprocess.check_output([sys.executable, "-c", ASKED], env=alone, cwd=tmp_path)
    module, paper, papers, state = json.loads(said)
    assert module.startswith(str(tmp_path)) and paper.startswith(str(tmp_path))
    assert {"hybvit", "toy"} <= set(papers) and tuple(state) == git_state()


def test_data_are_made_from_the_archive_too(tmp_path, toy_environment):
    """A job may be the first to need the data, and the source of their reader is in the archive."""
    take(tmp_path / "a.zip")
    alone = toy_environment | {"PYTHONPATH": str(tmp_path / "a.zip"), "PYTHONSAFEPATH": "1"}
    line = [sys.executable, "-m", "harness", "--data", tmp_path / "data", "data", "prepare", "digits"]
    done = subprocess.run(line, env=alone, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def taken(toy_environment, tmp_path):
    """Take a snapshot in a process with extra folders on its path; return the names in it, or the error."""

    def call(*folders, name="code.zip"):
        paths = ":".join([toy_environment["PYTHONPATH"], *map(str, folders)])
        command = [sys.executable, "-c", TAKE, str(tmp_path / name)]
        done = subprocess.run(command, env=toy_environment | {"PYTHONPATH": paths}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(tmp_path / name) as archive:
            return [entry for entry in archive.namelist() if not entry.endswith(".pyc")]

    return call


def of(names, *packages):
    return sorted(name for name in names if name.partition("/")[0].partition(".")[0] in packages)


@pytest.mark.parametrize("form", brew.FORMS, ids=lambda form: form.__name__)
def test_a_distribution_is_taken_whole_and_alone_in_every_form(form, taken, tmp_path):
    names = taken(*form(tmp_path))
    assert of(names, "brew", "brew_tools", "brew_nn") == sorted(brew.CODE)
    assert not of(names, "tests", "train", "setup", "backends", "distributions")
    assert "harness_papers/hybvit/paper.py" in names and "harness/report/html/page.css" in names
    assert "toy_paper.py" in names


def test_of_a_repository_the_tracked_files_of_the_working_tree_are_taken(taken, tmp_path):
    folders = brew.editable_by_the_root(tmp_path)
    brew.write(folders[1], {".gitignore": "*.log\n"})
    brew.commit(folders[1])
    brew.write(folders[1], {"brew/paper.py": "import brew_tools\nPAPER = 'edited'\n", "brew/huge.bin": "untracked"})
    names = taken(*folders)
    assert of(names, "brew") == sorted([*(name for name in brew.CODE if name.startswith("brew/")), "brew/weights.npz"])
    with zipfile.ZipFile(tmp_path / "code.zip") as archive:
        assert b"edited" in archive.read("brew/paper.py")
        (said,) = (name for name in names if name == "brew_paper-1.2.dist-info/snapshot.json")
        assert json.loads(archive.read(said))["dirty"] is True


PLUGIN = """
import json, mixup_nn.methods
from harness.registry.papers import papers
from harness.store.code import code_of
run = papers()["mixup"].tables[0].rows[1].run
code = code_of([run.config])
print(json.dumps([mixup_nn.methods.__file__, [record.model_dump() for record in code]]))
"""


def test_modules_without_an_entry_point_keep_their_provenance(taken, tmp_path, toy_environment):
    code = mixup.lay(tmp_path / "code")
    commit = brew.commit(code)
    taken(code)
    mixup.edit(code)
    alone = toy_environment | {"PYTHONPATH": str(tmp_path / "code.zip"), "PYTHONSAFEPATH": "1"}
    module, records = json.loads(subprocess.check_output([sys.executable, "-c", PLUGIN], env=alone, cwd=tmp_path))
    assert module == str(tmp_path / "code.zip/mixup_nn/methods.pyc")
    assert [record["name"] for record in records] == ["mixup-paper", "paper-harness"]
    assert (records[0]["commit"], records[0]["dirty"]) == (commit, False)
    assert (records[1]["commit"], records[1]["dirty"]) == git_state()
    there = toy_environment | {"PYTHONPATH": f"{toy_environment['PYTHONPATH']}:{code}"}
    mixup.lay(code)
    _, original = json.loads(subprocess.check_output([sys.executable, "-c", PLUGIN], env=there, cwd=tmp_path))
    assert [record["sha256"] for record in records] == [record["sha256"] for record in original]


def test_folders_without_an_init_can_be_imported_from_the_archive(taken, tmp_path, toy_environment):
    site = brew.write(
        tmp_path / "site", {"lab/brew/paper.py": "import lab.brew.deep.kinds\n", "lab/brew/deep/kinds.py": ""}
    )
    entry = "[harness.papers]\nbrew = lab.brew.paper:PAPER\n"
    brew.metadata(site, **{"entry_points.txt": entry})
    taken(site)
    alone = toy_environment | {"PYTHONPATH": str(tmp_path / "code.zip"), "PYTHONSAFEPATH": "1"}
    said = subprocess.check_output([sys.executable, "-c", "import lab.brew.paper as p; print(p.__file__)"], env=alone)
    assert said.decode().startswith(str(tmp_path / "code.zip"))


@pytest.mark.parametrize("broken", ["PAPER = (\n", "raise RuntimeError\n", "\x00", None], ids=str)
def test_a_broken_plugin_keeps_nobody_elses_code_back(broken, taken, tmp_path):
    (site,) = brew.beside(tmp_path)
    if broken is None:
        brew.write(site / "brew_paper-1.2.dist-info", {"entry_points.txt": "[harness.papers]\nbrew = gone.paper:P\n"})
    else:
        (site / "brew/paper.py").write_text(broken)
    names = taken(mixup.lay(tmp_path / "mixup"), site)
    assert of(names, "mixup_paper", "mixup_nn") == sorted(name for name in mixup.FILES if "dist-info" not in name)


@pytest.fixture
def big(monkeypatch, tmp_path):
    """Offer a single distribution, with 8 MB in its folder of checkpoints."""
    folder = tmp_path / "mixup_paper"
    files = {"mixup_paper/paper.py": b"PAPER = None\n"}
    files |= {f"mixup_paper/runs/{n}/checkpoints/{n}.bin": bytes(2**22) for n in range(2)}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = Installed("mixup-paper", "1", {name: tmp_path / name for name in files})
    monkeypatch.setattr(snapshot, "offering", lambda: (found,))
    return folder


def test_more_than_the_limit_is_refused_with_the_folder(big, monkeypatch, tmp_path):
    monkeypatch.setattr(snapshot, "LIMIT", 2**22)
    says = rf"comes to 8 MiB, the limit is 4: 8 MiB are in {big / 'runs'}; move data elsewhere"
    with pytest.raises(HarnessError, match=says):
        take(tmp_path / "code.zip")
    assert not list(tmp_path.glob("*.zip*"))
    (big / "runs/0/checkpoints/0.bin").write_bytes(bytes(2**23))
    with pytest.raises(HarnessError, match=f"8 MiB are in {big / 'runs/0/checkpoints'}"):
        take(tmp_path / "code.zip")


def test_files_go_into_the_archive_piece_by_piece(big, tmp_path):
    tracemalloc.start()
    take(tmp_path / "code.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22, "less than any of the two checkpoints"
    assert Path(tmp_path / "code.zip").stat().st_size < 2**20
