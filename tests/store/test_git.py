"""The files of a package and the state of the repository that tracks them."""

from types import SimpleNamespace

import pytest
from installed_forms import commit, git, write

from harness.store import git as git_state
from harness.store.code import other_code_of
from harness.store.git import Tracked, tracked
from harness.store.package_files import Files, joined, origin_of, packaged
from harness.store.run_directory import RunDirectory


@pytest.fixture(autouse=True)
def forget():
    git_state.forget()
    yield
    git_state.forget()


def test_tracked_files_and_new_source_belong_to_the_code(tmp_path):
    write(
        tmp_path,
        {"a/x.py": "", "a/data.bin": "", "a/gone.py": "", "a/b/y.txt": "", "c.py": "", ".gitignore": "old.py\n"},
    )
    at = commit(tmp_path)
    assert tracked(tmp_path / "a") == Tracked(
        tuple(tmp_path / "a" / name for name in ("b/y.txt", "data.bin", "gone.py", "x.py")), at, False
    )
    write(tmp_path, {"a/new.py": "", "a/new.txt": "", "a/old.py": "", "a/b/new.py": ""})
    (tmp_path / "a/gone.py").unlink()
    git_state.forget()
    assert tracked(tmp_path / "a") == Tracked(
        tuple(tmp_path / "a" / name for name in ("b/new.py", "b/y.txt", "data.bin", "new.py", "x.py")), at, True
    )
    assert tracked(tmp_path / "c.py") == Tracked((tmp_path / "c.py",), at, True), "the repository has changed"


def test_a_new_file_that_nothing_imports_is_no_change(tmp_path):
    write(tmp_path, {"a/x.py": ""})
    at = commit(tmp_path)
    write(tmp_path, {"a/new.txt": "", "other.txt": ""})
    assert tracked(tmp_path / "a") == Tracked((tmp_path / "a/x.py",), at, False)
    write(tmp_path, {"a/x.py": "1\n"})
    git_state.forget()
    assert tracked(tmp_path / "a").dirty


def test_before_the_first_commit_there_is_no_state(tmp_path):
    write(tmp_path, {"a/x.py": "", "b/y.py": ""})
    git(tmp_path, "init")
    assert tracked(tmp_path / "a") is None
    git(tmp_path, "add", "a")
    git_state.forget()
    assert tracked(tmp_path / "a") == Tracked((tmp_path / "a/x.py",), None, None)
    assert tracked(tmp_path / "b") is None


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_the_variables_of_a_hook_do_not_redirect_git(tmp_path, monkeypatch, variable):
    write(tmp_path, {"a/x.py": ""})
    at = commit(tmp_path)
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert tracked(tmp_path / "a") == Tracked((tmp_path / "a/x.py",), at, False)


def test_without_git_nothing_is_tracked(tmp_path, monkeypatch):
    write(tmp_path, {"a/x.py": ""})
    commit(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tracked(tmp_path / "a") is None


def test_the_files_of_a_package_are_those_of_its_code(tmp_path):
    files = (
        "__init__.py",
        "b/c.json",
        "b/d.so",
        "b/__pycache__/c.pyc",
        "e.pyc",
        ".hidden",
        ".git2/x.py",
        "w.npz",
        "x.pt",
    )
    write(tmp_path / "package", dict.fromkeys(files, ""))
    found = packaged("pack", str(tmp_path / "package"))
    assert found == Files({f"pack/{name}": tmp_path / "package" / name for name in files[:3]}, None)
    module = write(tmp_path, {"module.py": ""}) / "module.py"
    assert packaged("mod", str(module)) == Files({"mod.py": module}, None)
    at = commit(tmp_path)
    git_state.forget()
    kept = {f"pack/{name}": tmp_path / "package" / name for name in (*files[:3], "w.npz", "x.pt")}
    again = packaged("pack", str(tmp_path / "package"))
    assert (dict(again.named), again.state.commit, again.state.dirty) == (kept, at, False)


def part(name, commit="c", dirty=False):
    return Files({name: f"/{name}"} if name else {}, Tracked((), commit, dirty) if commit else None)


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([], None),
        ([part("a")], ("c", False)),
        ([part("a"), part("b")], ("c", False)),
        ([part("a"), part("b", dirty=True)], ("c", True)),
        ([part("a", dirty=True), part("b")], ("c", True)),
        ([part("a"), part("b", commit="d")], None),
        ([part("a"), part("b", commit=None)], None),
        ([part("a"), part("", commit=None)], ("c", False)),
        ([part("", commit="c")], None),
    ],
)
def test_parts_have_a_state_together_if_they_are_of_one_commit(parts, state):
    whole = joined(parts)
    assert whole.named == {name: f"/{name}" for each in parts for name in each.named}
    assert (whole.state and (whole.state.commit, whole.state.dirty)) == state


@pytest.mark.parametrize(
    ("text", "origin"), [('{"url": "u"}', {"url": "u"}), ("", {}), (None, {}), ("{", {}), ("3", {}), ("null", {})]
)
def test_the_origin_of_a_distribution_is_that_of_pip(text, origin):
    asked = []

    def read_text(name):
        asked.append(name)
        return text

    assert origin_of(SimpleNamespace(read_text=read_text)) == origin and asked == ["direct_url.json"]


def test_unreadable_segments_are_of_no_other_code(tmp_path):
    write(tmp_path / "segments", {"1.json": "{"})
    assert other_code_of(RunDirectory(tmp_path)) == other_code_of(RunDirectory(tmp_path / "absent")) == ()
