"""Commands in the background, as forks of a warm process (see warm.py) that tests may kill, stop or prepare."""

import os
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import ranks
import warm
from watched import Seen, judged

SECONDS = 240
PAUSE = 0.02


class Command:
    """A command line that runs in a process group of its own.

    `prepare` is a function of a module, called with `arguments` in the process before the command.
    """

    def __init__(self, environment, *line, prepare=None, arguments=()):
        self._folder = tempfile.TemporaryDirectory(prefix="fork-")
        self.line = [str(word) for word in line]
        self._files = [Path(self._folder.name, name) for name in ("out", "err")]
        task = (prepare, arguments, self.line, dict(environment), os.getcwd(), self._files)
        self._process = ranks.server().Process(target=_begin, args=task)
        self._process.start()

    @property
    def running(self):
        return self._process.exitcode is None

    def kill(self):
        """Kill the command and its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def signal(self, process, number):
        """Send a signal to one of its processes; return whether it was there."""
        try:
            os.kill(process, number)
        except ProcessLookupError:
            return False
        return True

    @property
    def pid(self):
        return self._process.pid

    def workers(self):
        """Return the ids of the workers at work."""
        with suppress(psutil.Error):
            return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        return []

    def end(self, seconds=SECONDS):
        """Wait for the end and return what was seen; a command that takes longer is killed, which is a fault."""
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            self._process.join(PAUSE)
        hangs = self.running
        if hangs:
            self.kill()
        self._process.join()
        out, err = (path.read_text(errors="replace") if path.exists() else "" for path in self._files)
        code = self._process.exitcode
        seen = Seen(None if hangs or code < 0 else code, out, err, ["hangs"] if hangs else [])
        self._folder.cleanup()
        return judged(seen, " ".join(self.line[2:4]))


def finish(environment, *line, **options):
    """Run a command to its end and return what was seen."""
    return Command(environment, *line, **options).end()


def _begin(prepare, arguments, line, environment, cwd, files):
    if prepare is not None:
        prepare(*arguments)
    warm._command(line, environment, cwd, files)
