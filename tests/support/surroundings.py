"""The environment in which commands find the toy paper, and a context that adopts an environment."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1]
PATHS = (str(TESTS.parent), str(TESTS / "support"))
FIXED = {
    "PYTHONPATH": ":".join(PATHS),
    "HARNESS_CHECKPOINT_SECONDS": "0.05",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "NO_COLOR": "1",
    "COLUMNS": "200",
}
READ_AT_IMPORT = ("OMP_NUM_THREADS",)
"""Variables that take effect at the import of torch, too early to be changed in this process."""


def toy_environment(data_root):
    """Return the environment of a process that finds the toy paper."""
    return os.environ | FIXED | {"HARNESS_DATA": str(data_root)}


@contextmanager
def taken_on(environment, cwd=None):
    """Set exactly these variables and the working directory of this process while the body runs."""
    before, place = dict(os.environ), os.getcwd()
    _become(environment)
    os.chdir(cwd or place)
    try:
        yield
    finally:
        os.chdir(place)
        _become(before)


def _become(environment):
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def search(environment):
    """Make this process search for modules and distributions like a new one with this PYTHONPATH."""
    wanted = environment.get("PYTHONPATH", "").split(":")
    sys.path[:] = [*wanted, *(path for path in sys.path if path not in (*wanted, *PATHS, "", os.getcwd()))]
