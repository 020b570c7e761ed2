"""The command line, called in three ways: in this process, in a fork of a warm one, and in a process of its own."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import warm
from forgetting import forget
from surroundings import FIXED, taken_on

from harness.cli.main import main


class CommandLine:
    """Calls commands, each with the results directory and the environment of a test unless it is given others.

    All ways return a `CompletedProcess` with what was printed. The plain call is for commands that read and refuse.
    """

    def __init__(self, results, environment):
        self._results = results
        self._environment = environment

    def __call__(self, *arguments, results=None, env=None, cwd=None):
        """Call a command in this process. What starts workers is for `warm`, and so is code from elsewhere."""
        environment = env or self._environment
        assert environment["PYTHONPATH"] == FIXED["PYTHONPATH"], "this process has its modules already: call `warm`"
        line, out, err = self._line(arguments, results), io.StringIO(), io.StringIO()
        forget()
        with taken_on(environment, cwd), redirect_stdout(out), redirect_stderr(err):
            code = main(line)
        forget()
        return subprocess.CompletedProcess(line, code, out.getvalue(), err.getvalue())

    def warm(self, *arguments, results=None, env=None, **options):
        """Call a command that works: itself and its workers are forks of a process that has imported torch."""
        return warm.call(env or self._environment, self._line(arguments, results), **options)

    def process(self, *arguments, results=None, env=None, **options):
        """Call a command in a process of its own, as users do."""
        command = [sys.executable, "-m", "harness", *self._line(arguments, results)]
        options = {"capture_output": True, "text": True, "timeout": 300} | options
        return subprocess.run(command, env=env or self._environment, **options)

    def _line(self, arguments, results):
        return ["--results", str(results or self._results), *map(str, arguments)]
