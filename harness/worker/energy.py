"""Energy use of a GPU, from NVML's counter.

The counter covers the whole board (`nvmlDeviceGetTotalEnergyConsumption`, in millijoules since the driver was loaded;
Volta and newer). It cannot be attributed to one worker if the board is partitioned (MIG) or another process uses it.
"""

from typing import Any

import torch

JOULES_PER_COUNT = 1e-3


class EnergyMeter:
    """Measures the energy used by one GPU since construction. Never raises."""

    def __init__(self, uuid: str | None) -> None:
        self._nvml: Any
        self._handle: Any
        self._nvml, self._handle = _open(uuid) if uuid else (None, None)
        self._before = self._count()

    def joules(self) -> float | None:
        """Return the joules used since construction, None if NVML fails or they include another process.

        Once a value is None, all later ones are.
        """
        now = self._count()
        if now is None or self._before is None or now < self._before:  # reloading the driver resets the counter
            self._before = None
            return None
        return (now - self._before) * JOULES_PER_COUNT

    def close(self) -> None:
        """Shut NVML down."""
        if self._handle is not None:
            _ask(self._nvml.nvmlShutdown)
            self._nvml = self._handle = self._before = None

    def _count(self) -> int | None:
        """Return the counter in millijoules, None if other processes use the GPU."""
        if self._handle is None:
            return None
        others = _ask(self._nvml.nvmlDeviceGetComputeRunningProcesses, self._handle)
        if others is None or len(others) > 1:
            return None
        count = _ask(self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        return count if isinstance(count, int) else None


def gpu_uuid(device: torch.device) -> str | None:
    """Return the UUID of a CUDA device as NVML writes it, None for other devices.

    Only CUDA maps an ordinal through CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER; NVML numbers all GPUs by their slots,
    hidden ones included.
    """
    if device.type != "cuda":
        return None
    uuid = getattr(_ask(torch.cuda.get_device_properties, device), "uuid", None)
    return None if uuid is None else f"GPU-{str(uuid).removeprefix('GPU-')}"


def _open(uuid: str) -> tuple[Any, Any]:
    """Return NVML and its handle of the GPU, or two Nones without NVML or with a partitioned GPU.

    NVML finds no GPU for the UUID of a MIG instance; some drivers report the UUID of the GPU instead.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # without a driver there is no library; it fails in many ways
        return None, None
    handle = _ask(pynvml.nvmlDeviceGetHandleByUUID, uuid)
    if handle is None or _is_partitioned(pynvml, handle):
        _ask(pynvml.nvmlShutdown)
        return None, None
    return pynvml, handle


def _is_partitioned(nvml: Any, handle: Any) -> bool:
    """Return whether the GPU is in MIG mode; older GPUs do not support the query."""
    mode = _ask(nvml.nvmlDeviceGetMigMode, handle)
    return mode is not None and mode[0] == nvml.NVML_DEVICE_MIG_ENABLE


def _ask(question: Any, *arguments: Any) -> Any:
    """Return the answer of NVML, None if it raises."""
    try:
        return question(*arguments)
    except Exception:  # energy is optional: failing to read it must not end a run
        return None
