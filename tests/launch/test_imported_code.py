"""Whether the code of a process is still the code on disk, for imported files and for those of plugins."""

import os
import time

import pytest
from distributions import install
from forgetting import forget

from harness.cli.fork_server import known_code
from harness.launch.forks.imported_code import ImportedCode
from harness.store.distributions import offering


@pytest.fixture
def module(tmp_path):
    """A file that is an hour old."""
    path = tmp_path / "module.py"
    path.write_text("VALUE = 1\n")
    os.utime(path, (time.time() - 3600,) * 2)
    return path


@pytest.fixture
def code(module):
    found = ImportedCode(time.time_ns())
    found.note([str(module)])
    return found


def test_code_is_unchanged_while_nobody_touches_it(code):
    assert not code.has_changed()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("VALUE = 2\n"),
        lambda path: os.utime(path),
        lambda path: path.unlink(),
        lambda path: (path.with_suffix(".new").write_bytes(path.read_bytes()), path.with_suffix(".new").replace(path)),
    ],
    ids=["written", "touched", "removed", "replaced"],
)
def test_a_change_is_seen(code, module, change):
    change(module)
    assert code.has_changed()


def test_what_changed_after_the_imports_began_counts_as_changed(module):
    late = ImportedCode(module.stat().st_mtime_ns - 1)
    late.note([str(module)])
    assert late.has_changed()


def test_files_of_plugins_that_nobody_has_imported_are_watched(tmp_path, monkeypatch):
    install(tmp_path, "later-paper", {"later_paper.py": "PAPER = None\n"}, papers=["later = later_paper:PAPER"])
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    code = known_code(time.time_ns() + 10**9)
    assert "later-paper" in {found.name for found in offering()}
    assert not code.has_changed()
    (tmp_path / "later_paper.py").write_text("PAPER = 1\n")
    assert code.has_changed()
    monkeypatch.undo()
    forget()
