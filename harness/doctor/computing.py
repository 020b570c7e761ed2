"""Checks of the compute environment: Python and the harness, torch, GPUs, cores, memory."""

import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

from harness import __version__
from harness.advice import command
from harness.doctor.check import Check, CheckState, gigabytes
from harness.doctor.children import run
from harness.launch.machine import gpu_ids, usable_cores, usable_memory
from harness.store.provenance import git_state

PIP = "python -m pip install -c constraints.txt"
REINSTALL_TORCH = f"{PIP} --force-reinstall torch"
BYTES_PER_WORKER = 2**30
"""The memory that a worker needs at laptop scale, most of it for torch itself."""


def check_harness() -> Check:
    """Report the versions of Python and the harness."""
    commit, dirty = git_state()
    at = f" at commit {commit[:7]}{', changed since' if dirty else ''}" if commit else ""
    facts = {
        "version": __version__,
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        "executable": sys.executable,
    }
    return Check("harness", CheckState.OK, f"{__version__}{at}, Python {platform.python_version()}", facts=facts)


def check_torch(found: Mapping[str, Any]) -> Check:
    """Check the result of the torch probe."""
    if "error" in found:
        return Check("torch", CheckState.MISSING, f"cannot be imported: {found['error']}", REINSTALL_TORCH)
    build = f"for CUDA {found['cuda']}" if found["cuda"] else "for CPUs"
    facts = {"version": found["version"], "cuda": found["cuda"]}
    return Check("torch", CheckState.OK, f"{found['version']}, built {build}", facts=facts)


def check_gpu(found: Mapping[str, Any]) -> Check:
    """Check which GPUs torch can use, and query the driver if there are none."""
    driver = _driver()
    facts = {"gpus": found.get("gpus", []), "driver": driver}
    if gpus := found.get("gpus"):
        names = "; ".join(_name(gpu) for gpu in gpus)
        if all(gpu["bf16"] for gpu in gpus):
            return Check("gpu", CheckState.OK, f"{names}; driver {driver or 'unknown'}", facts=facts)
        return Check("gpu", CheckState.DEGRADED, f"{names}: no bfloat16; use --scale paper-fp32", facts=facts)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if driver is None:
        says = "none found. The laptop scale needs none; the paper's scale does"
        return Check("gpu", CheckState.MISSING, says, facts=facts)
    if visible is not None and not gpu_ids():
        says = f"hidden by CUDA_VISIBLE_DEVICES={visible!r}"
        return Check("gpu", CheckState.MISSING, says, "unset CUDA_VISIBLE_DEVICES", facts)
    if "error" not in found and found["cuda"] is None:
        says = f"there is one (driver {driver}), but this build of torch has no CUDA: install a CUDA build"
        return Check("gpu", CheckState.MISSING, says, f"{REINSTALL_TORCH}  # or see https://pytorch.org", facts)
    reason = found.get("gpu_error") or "torch does not see it"
    says = f"there is one (driver {driver}), but: {reason}. Often the driver is too old for torch's CUDA"
    return Check("gpu", CheckState.MISSING, says, "nvidia-smi  # shows the CUDA version of the driver", facts)


def check_cores() -> Check:
    """Count the usable cores."""
    cores, total = usable_cores(), os.cpu_count() or 1
    of = f" of the machine's {total}" if cores < total else ""
    workers = "worker" if cores == 1 else "workers at a time"
    facts = {"usable": cores, "machine": total}
    return Check("cores", CheckState.OK, f"{cores}{of}; without a GPU, {cores} {workers}", facts=facts)


def check_memory() -> Check:
    """Check whether the memory suffices for one worker per core."""
    memory, cores = usable_memory(), usable_cores()
    facts = {"usable_bytes": memory}
    if memory >= cores * BYTES_PER_WORKER:
        return Check("memory", CheckState.OK, gigabytes(memory), facts=facts)
    workers = max(1, memory // BYTES_PER_WORKER)
    says = f"{gigabytes(memory)}, not enough for {cores} workers at a time"
    return Check("memory", CheckState.DEGRADED, says, command(f"run table6 --workers {workers}"), facts)


def _name(gpu: Mapping[str, Any]) -> str:
    precision = ", bfloat16" if gpu["bf16"] else ""
    return f"{gpu['name']}, {gigabytes(gpu['memory_bytes'])}, capability {gpu['compute_capability']}{precision}"


def _driver() -> str | None:
    """Return the version of the NVIDIA driver, None if `nvidia-smi` finds no GPU."""
    done = run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    if isinstance(done, str) or done.returncode or not (lines := done.stdout.split()):
        return None
    return lines[0]
