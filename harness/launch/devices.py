"""What this machine can compute on, found without importing torch."""

import os
import shutil
import subprocess

from harness.launch.limits import usable_cores


def gpu_ids() -> list[str]:
    """Return the CUDA devices that a child may be given, empty when there are none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [part for part in visible.split(",") if part.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
    return [str(index) for index in range(count)]


def default_workers() -> int:
    """Return one worker per GPU, or one per core that this process may use."""
    return len(gpu_ids()) or usable_cores()
