"""Runs what may fail, hang or crash as child processes."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from harness.doctor.probes import MARK

TIMEOUT_SECONDS = 120.0


def probe(*names: str) -> dict[str, dict[str, Any]]:
    """Return the facts that each probe of `harness.doctor.probes` has found, or its `error` in one line.

    They share a process; when one of them kills it, the later ones have nothing to say but that.
    """
    done = run([sys.executable, "-m", "harness.doctor.probes", *names])
    if isinstance(done, str):
        return {name: {"error": done} for name in names}
    lines = [line.split(" ", 2) for line in done.stdout.splitlines() if line.startswith(f"{MARK} ")]
    found = {name: json.loads(facts) for _, name, facts in lines}
    died = {"error": f"the process that imports it died: {_how(done.returncode)}"}
    return {name: found.get(name, died) for name in names}


def run(command: Sequence[str], text: str = "") -> "subprocess.CompletedProcess[str] | str":
    """Run a command that reads `text`; return the process that has ended, or in one line why it could not."""
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {TIMEOUT_SECONDS:.0f} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror or error}"


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
