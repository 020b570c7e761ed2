"""Child processes as executors see them, started by this process or forked by a server."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Protocol


class Child(Protocol):
    """A process that this one may wait for, such as a `Popen`. Its exit code is -9 after SIGKILL."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises `subprocess.TimeoutExpired` after `timeout` seconds.
        """

    def terminate(self) -> None:
        """Send SIGTERM, unless the process is known to have ended."""


class AdoptedChild:
    """A child of this process that another process has forked, with the interface of `Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        if self._exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has waited for it
                pid, status = self.pid, 0
            if pid:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises `subprocess.TimeoutExpired` after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = LOOK_SECONDS if deadline is None else min(deadline - time.monotonic(), LOOK_SECONDS)
            if left <= 0:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            wait_for_an_end([self], left)
        return code

    def terminate(self) -> None:
        """Send SIGTERM, unless the process is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


LOOK_SECONDS = 0.2
"""The interval between two looks at children that the system does not report."""


def wait_for_an_end(children: Iterable[Child], seconds: float) -> None:
    """Wait until one of these unfinished children ends, at most some seconds."""
    with ExitStack() as opened:
        ends = []
        with suppress(OSError, AttributeError):  # Linux alone has them
            for child in children:
                ends.append(os.pidfd_open(child.pid))
                opened.callback(os.close, ends[-1])
        select.select(ends, [], [], seconds)
