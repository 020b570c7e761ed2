"""Commands that no test signals, and their workers, as forks of one process that has imported torch.

A fork behaves like a new process, without two seconds of imports: same environment, import path and standard streams.
A command forks its fork server in turn, where it would start a process.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path

import ranks
from surroundings import FIXED, READ_AT_IMPORT, search, taken_on

from harness.launch.children import AdoptedChild
from harness.launch.forks import client
from harness.launch.forks.imported_code import ImportedCode
from harness.launch.forks.server import serve


def call(environment, line, cwd=None, timeout=300):
    """Call a command line in a fork; return what `subprocess.run` would."""
    for name in READ_AT_IMPORT:
        assert environment.get(name) == FIXED[name], f"{name} is read at import: start a process"
    with tempfile.TemporaryDirectory(prefix="warm-") as folder:
        files = [Path(folder, name) for name in ("out", "err")]
        process = ranks.server().Process(target=_command, args=(line, dict(environment), cwd or os.getcwd(), files))
        process.start()
        try:
            process.join(timeout)
            if process.exitcode is None:
                raise subprocess.TimeoutExpired(line, timeout)
        finally:  # also when the time of the test is over
            if process.is_alive():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.join()
        printed = [path.read_text() if path.exists() else "" for path in files]
    return subprocess.CompletedProcess(line, process.exitcode, *printed)


def finish(environment, results, *arguments, command="run"):
    """Call a command that succeeds and return its output."""
    done = call(environment, ["--results", str(results), command, *map(str, arguments)])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _command(line, environment, cwd, files):
    os.setsid()
    null, *streams = os.open(os.devnull, os.O_RDONLY), *(os.open(path, os.O_WRONLY | os.O_CREAT) for path in files)
    with taken_on(environment, cwd):
        search(environment)
        _be([null, *streams], line)


def _be(streams, line):
    """Act as the process of a command line with these standard streams, including its exit."""
    from harness.cli.main import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    sys.argv = ["harness", *line]
    client.spawn = _serving
    code = 1
    try:
        code = main(line)
    except SystemExit as left:
        code = left.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serving(channel, environment):
    """Fork this process as the fork server of its command, without the imports."""
    from harness.cli.main import main

    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return AdoptedChild(pid)
    try:
        for number in (signal.SIGTERM, signal.SIGUSR2):  # which the executor of the parent listens to
            signal.signal(number, signal.SIG_DFL)
        kept = sorted((channel.fileno(), resource_tracker.getfd()))
        for before, after in zip([2, *kept], [*kept, 1024]):
            os.closerange(before + 1, after)
        with taken_on(environment):
            serve(channel, main, ImportedCode(time.time_ns()))
    finally:
        os._exit(0)
