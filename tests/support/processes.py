"""Commands in their own process groups, so that tests can signal a whole group."""

import os
import signal
import subprocess
import sys

import psutil
from holding import holding
from progress import checkpointed


def start(environment, results, *arguments, command="run"):
    """Start a command of the harness, `harness run` by default, as the leader of a process group.

    Resets SIGINT, which shells ignore in background processes.
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
    """Wait for a command to succeed and return its output."""
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0, output
    return output


def printed(process, words):
    """Read the output of a command up to the line with these words, and return all of it."""
    lines = ""
    while words not in lines:
        line = process.stdout.readline()
        assert line, f"the command ended without printing '{words}': {lines}"
        lines += line
    return lines


def held(process, results, until=checkpointed, runs=1):
    """Hold the workers of a command while the body runs; see `holding`."""

    def over():
        return None if process.poll() is None else f"the command has ended: {process.communicate()[0]}"

    return holding(results, until, over, runs)


def kill(process, results, until=checkpointed):
    """Kill the process group of a command once one of its runs satisfies the condition."""
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
