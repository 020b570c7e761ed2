"""`pytest --no-processes`: skips every test at the moment it starts a process; no list of such tests is needed."""

import os
import subprocess
from multiprocessing import util
from pathlib import Path

import pytest

CHEAP = {"git"}
"""Programs that any command may call, and that answer in milliseconds."""


class NoProcesses:
    """The plugin; active while a test or one of its fixtures runs."""

    def __init__(self):
        self._at_work = False
        self._guard(subprocess.Popen, "__init__", lambda arguments: Path(arguments[1][0]).name in CHEAP)
        self._guard(os, "fork")
        self._guard(os, "posix_spawn")
        self._guard(util, "spawnv_passfds")  # by which multiprocessing starts its servers

    def _guard(self, owner, name, is_allowed=lambda arguments: False):
        start = getattr(owner, name)

        def guarded(*arguments, **options):
            if self._at_work and not is_allowed(arguments):
                pytest.skip("starts a process")
            return start(*arguments, **options)

        setattr(owner, name, guarded)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self._at_work = True
        try:
            return (yield)
        finally:
            self._at_work = False

    def pytest_runtest_setup(self, item):
        if "browser" in item.fixturenames:  # Playwright starts it from an event loop, which a skip would break
            pytest.skip("starts a browser")
