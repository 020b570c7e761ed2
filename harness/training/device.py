"""Chooses the device of a worker and makes its arithmetic reproducible."""

import os

import torch

from harness.errors import SpecError
from harness.store.provenance import processor_name


def wants_compilation(choice: str, device: torch.device) -> bool:
    """Return whether to compile networks. `auto` compiles on a GPU, where launch overhead dominates small kernels.

    On a CPU, compiling takes half a minute or more and gains little (benchmarks/training.py).
    """
    return choice == "on" or (choice == "auto" and device.type == "cuda")


def prepare_device(name: str | None, local_rank: int = 0) -> torch.device:
    """Return the named device and configure torch for it. The default is a GPU if there is one, else the CPU.

    Without an index, `local_rank` selects the GPU. A CPU worker uses one thread, so that results do not depend on the
    number of cores. On CUDA, operations without a deterministic implementation warn. Raises `SpecError` for a device
    that this machine does not have.
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
    # All measurements are in float32, including the convolutions of feature spaces.
    torch.backends.cudnn.allow_tf32 = False
    # Deterministic mode fills every empty tensor, which costs time; no code here reads uninitialised memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return device


def seed_modules(seed: int, device: torch.device) -> None:
    """Seed the generators of torch that modules on a device draw from.

    `torch.manual_seed` prepares seeds for all other kinds of devices too, a tenth of a small training step.
    """
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def device_name(device: torch.device) -> str:
    """Return the model name of the device. Devices of the same name are assumed to be equally fast."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()
