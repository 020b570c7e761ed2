"""Errors of the operating system, injected into commands: the nth call of some kind below a folder fails."""

import ctypes
import os
import subprocess
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path

import ranks

SOURCE = Path(__file__).with_name("errors.c")
OPERATIONS = {
    "open": 1, "write": 2, "rename": 4, "link": 8, "fsync": 16, "unlink": 32, "mkdir": 64, "utime": 128,
    "truncate": 256, "read": 512,
}  # fmt: skip


@contextmanager
def injectable(folder):
    """While the body runs, commands of forks.py can be armed; compiles the library into a folder."""
    library = folder / "errors.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    forkserver._forkserver._stop()
    os.environ["LD_PRELOAD"] = str(library)
    try:
        ranks.server()
        del os.environ["LD_PRELOAD"]
        yield
    finally:
        os.environ.pop("LD_PRELOAD", None)
        forkserver._forkserver._stop()


def arm(below, operation, nth, error, lasting):
    """Let the nth operation of this process, and of each fork of it, on a path with `below` in it fail."""
    ctypes.CDLL(None).arm(os.fsencode(below), OPERATIONS[operation], ctypes.c_long(nth), error, lasting)
