"""Commands in process groups of their own, which may be signalled as a whole."""

import os
import signal
import subprocess
import sys

import psutil
from holding import holding
from progress import checkpointed


def start(environment, results, *arguments, command="run"):
    """Start a command of the harness, `harness run` by default, as the leader of a process group.

    It hears interrupts, which shells have their background processes ignore.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "--results", str(results), command, *arguments],
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def finish(process, timeout=300):
    """Wait for a command to end well and return what it printed."""
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0, output
    return output


def printed(process, words):
    """Read what a command prints up to the line that has these words, and return all of it."""
    lines = ""
    while words not in lines:
        line = process.stdout.readline()
        assert line, f"it ended without printing '{words}': {lines}"
        lines += line
    return lines


def held(process, results, until=checkpointed, runs=1):
    """Let the workers of a command stand still while the body acts; see `holding`."""

    def over():
        return None if process.poll() is None else f"the command has ended: {process.communicate()[0]}"

    return holding(results, until, over, runs)


def kill(process, results, until=checkpointed):
    """Kill the whole group of a command when one of its runs has come so far."""
    with held(process, results, until):
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def workers(process):
    """Return the processes of workers, and of their ranks, that a command has started."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            line = child.cmdline()
        except psutil.Error:
            continue
        if "worker" in line and "torch.distributed.run" not in line:
            found.append(child)
    return found
