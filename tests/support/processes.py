"""Runs in process groups of their own, which may be killed as a whole."""

import os
import signal
import subprocess
import sys


def start(environment, results, *arguments):
    """Start `harness run` as the leader of a process group."""
    command = [sys.executable, "-m", "harness", "--results", str(results), "run", *arguments]
    return subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, timeout=300):
    """Wait for a run to end well and return what it printed."""
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0, output
    return output


def killed(process, after):
    """Kill the whole group after some seconds; tell whether it was still at work."""
    try:
        finish(process, timeout=after)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
