"""What this machine can compute on, found without importing torch."""

import os
import re
import shutil
import subprocess

from harness.launch.limits import usable_cores
from harness.store.provenance import processor_name

LISTED = re.compile(r"GPU (\d+): (.+) \(UUID: (.+)\)")


def gpu_ids() -> list[str]:
    """Return the CUDA devices that a child may be given, empty when there are none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [part for part in visible.split(",") if part.strip() not in ("", "-1")]
    return [index for index, _, _ in _listed()]


def device_kind() -> str:
    """Return what the device is called on which runs of this machine would be, as their segments will name it.

    That is the first GPU that may be used, or the processor.
    """
    visible = gpu_ids()
    if not visible:
        return processor_name()
    gpus = _listed()
    named = (name for index, name, uuid in gpus if visible[0] == index or uuid.startswith(visible[0]))
    return next(named, gpus[0][1] if gpus else "GPU")


def _listed() -> list[tuple[str, str, str]]:
    """Return the index, the name and the UUID of every GPU of this machine."""
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = (LISTED.match(line) for line in listed.stdout.splitlines())
    return [(match[1], match[2], match[3]) for match in found if match]


def default_workers() -> int:
    """Return one worker per GPU, or one per core that this process may use."""
    return len(gpu_ids()) or usable_cores()
