"""Three ways to call the command line: in this process, in a fork of a warm process, and in a new process."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import warm
from forgetting import forget
from surroundings import FIXED, taken_on

from harness.cli.main import main


class CommandLine:
    """Calls commands with the results directory and the environment of a test, unless others are given.

    All ways return a `CompletedProcess` with the output. The plain call is for commands that start no workers.
    """

    def __init__(self, results, environment):
        self._results = results
        self._environment = environment

    def __call__(self, *arguments, results=None, env=None, cwd=None):
        """Call a command in this process. Use `warm` for commands that start workers or need external code."""
        environment = env or self._environment
        assert environment["PYTHONPATH"] == FIXED["PYTHONPATH"], "this process has its modules already: call `warm`"
        line, out, err = self._line(arguments, results), io.StringIO(), io.StringIO()
        forget()
        with taken_on(environment, cwd), redirect_stdout(out), redirect_stderr(err):
            code = main(line)
        forget()
        return subprocess.CompletedProcess(line, code, out.getvalue(), err.getvalue())

    def warm(self, *arguments, results=None, env=None, **options):
        """Call a command in a fork of a process that has imported torch; its workers are such forks too."""
        return warm.call(env or self._environment, self._line(arguments, results), **options)

    def process(self, *arguments, results=None, env=None, **options):
        """Call a command in a new process, as users do."""
        command = [sys.executable, "-m", "harness", *self._line(arguments, results)]
        options = {"capture_output": True, "text": True, "timeout": 300} | options
        return subprocess.run(command, env=env or self._environment, **options)

    def _line(self, arguments, results):
        return ["--results", str(results or self._results), *map(str, arguments)]
