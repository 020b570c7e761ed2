"""Chooses the device of a worker and makes its arithmetic reproducible."""

import os

import torch

from harness.errors import SpecError
from harness.store.provenance import processor_name


def wants_compilation(choice: str, device: torch.device) -> bool:
    """Tell whether to compile networks: `auto` does on a GPU, where calls cost more than what they compute.

    On a CPU it gains little for half a minute or more of compiling (benchmarks/training.py).
    """
    return choice == "on" or (choice == "auto" and device.type == "cuda")


def prepare_device(name: str | None, local_rank: int = 0) -> torch.device:
    """Return the device of this name, or a GPU where there is one, else the CPU; settings follow from it.

    The processes of a machine take its GPUs in turn, by their `local_rank`.

    A CPU worker computes on one thread, so that results do not depend on the number of cores. On CUDA, operations
    without a deterministic form warn. Raises `SpecError` for a device that this machine does not have.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise SpecError(f"unknown device '{name}': allowed: cpu, cuda, cuda:0, ...") from None
    if device.type == "cpu":
        torch.set_num_threads(1)
        return device
    if device.type != "cuda" or not torch.cuda.is_available():
        raise SpecError(f"device '{name}' is not on this machine: allowed: cpu{', cuda' * torch.cuda.is_available()}")
    if device.index is None:
        device = torch.device("cuda", local_rank % torch.cuda.device_count())
    torch.cuda.set_device(device)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # What is measured is measured in float32, convolutions of the feature spaces included.
    torch.backends.cudnn.allow_tf32 = False
    # Every empty tensor would be filled first: nothing here reads what it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return device


def device_name(device: torch.device) -> str:
    """Return what the device is called: runs on devices of one name are as fast as each other."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
