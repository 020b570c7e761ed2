"""Runs checks that may fail, hang or crash in child processes."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from harness.doctor.probes import MARK

TIMEOUT_SECONDS = 120.0


def probe(*names: str) -> dict[str, dict[str, Any]]:
    """Return the facts of each probe of `harness.doctor.probes`, or its `error` in one line.

    The probes share a process; if one of them kills it, the later ones report that as their error.
    """
    done = run([sys.executable, "-m", "harness.doctor.probes", *names])
    if isinstance(done, str):
        return {name: {"error": done} for name in names}
    lines = [line.split(" ", 2) for line in done.stdout.splitlines() if line.startswith(f"{MARK} ")]
    found = {name: json.loads(facts) for _, name, facts in lines}
    died = {"error": f"the process that imports it died: {_exit_of(done.returncode)}"}
    return {name: found.get(name, died) for name in names}


def run(command: Sequence[str], text: str = "") -> "subprocess.CompletedProcess[str] | str":
    """Run a command with `text` on stdin; return the completed process, or in one line why it did not complete."""
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not finish within {TIMEOUT_SECONDS:.0f} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror or error}"


def _exit_of(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
