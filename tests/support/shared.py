"""Results shared by all pytest-xdist processes."""

import json
import os
import shutil
import subprocess

from filelock import FileLock


def everyones(tmp_path_factory, name):
    """Return the path of this name that all of them have in common."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name


def results_of(tmp_path_factory, name, make):
    """Return a copy of the results directory that `make(folder)` filled once, and the output of `make`.

    `make` returns a `CompletedProcess`. Each process has its own copy, since reports are written into it.
    """
    original = everyones(tmp_path_factory, name)
    said = original.with_suffix(".json")
    with FileLock(original.with_suffix(".lock")):
        if not said.exists():
            shutil.rmtree(original, ignore_errors=True)
            original.mkdir()
            done = make(original)
            assert done.returncode == 0, done.stderr
            said.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    folder = tmp_path_factory.mktemp(name)
    shutil.copytree(original, folder, dirs_exist_ok=True)
    return folder, subprocess.CompletedProcess([], *json.loads(said.read_text()))
