"""The distribution in `tests/outside`, which `make test` installs, and processes without it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
INSTALL = "python -m pip install --no-deps --no-build-isolation -e tests/outside"
OWN = ("outside_paper", "outside_tools")


def needs_outside():
    """Skip a module of tests if the distribution is not installed."""
    if find_spec(OWN[0]) is None:
        pytest.skip(f"outside-paper is not installed: {INSTALL}", allow_module_level=True)


def elsewhere(folder):
    """Return a function that runs the command line in a process without this distribution, but with all other packages.

    Its Python reads no `.pth` files, through which editable packages are found. A folder with links to all other
    packages replaces the folder of installed packages.
    """
    paths = [TESTS.parent, TESTS.parent / "tools" / "import_names"]
    for entry in map(Path, dict.fromkeys(sys.path)):
        if not entry.is_dir() or entry == TESTS / "outside" / "src" or entry == TESTS / "support":
            continue
        links = folder / f"site-packages-{len(paths)}"
        paths.append(_without(entry, links) if any(entry.glob(f"{OWN[0]}*")) else entry)
    environment = os.environ | {"PYTHONPATH": ":".join(map(str, paths)), "NO_COLOR": "1", "COLUMNS": "200"}

    def run(*arguments):
        command = [sys.executable, "-S", "-m", "harness", *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, cwd=folder)

    return run


def _without(installed, links):
    links.mkdir()
    for path in installed.iterdir():
        if not any(name in path.name for name in OWN):
            (links / path.name).symlink_to(path)
    return links
