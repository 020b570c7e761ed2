"""Commands in process groups of their own, which may be signalled as a whole."""

import os
import signal
import subprocess
import sys
import time

import psutil


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


def killed(process, after):
    """Kill the whole group after some seconds; tell whether it was still at work."""
    try:
        finish(process, timeout=after)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True


def checkpointed(process, results, count=1):
    """Wait until a run has so many checkpoints; its process must not end before."""
    while len(list(results.glob("runs/*/checkpoints/*.json"))) < count:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


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
