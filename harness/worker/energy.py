"""The energy that a GPU takes, by NVML's counter.

The counter is the whole board's (`nvmlDeviceGetTotalEnergyConsumption`, in millijoules since the driver was loaded;
Volta and newer). So it says nothing of one worker where the board is divided (MIG) or another process computes on it.
"""

from typing import Any

import torch

JOULES_PER_COUNT = 1e-3


class EnergyMeter:
    """Counts what one GPU takes from now on. Whatever NVML cannot tell is None, never an error."""

    def __init__(self, uuid: str | None) -> None:
        self._nvml: Any
        self._handle: Any
        self._nvml, self._handle = _open(uuid) if uuid else (None, None)
        self._before = self._count()

    def joules(self) -> float | None:
        """Return the energy since the beginning, None where it is not to be had for this worker alone.

        Once another process was seen on the GPU it stays None.
        """
        now = self._count()
        if now is None or self._before is None or now < self._before:  # the counter begins anew with the driver
            self._before = None
            return None
        return (now - self._before) * JOULES_PER_COUNT

    def close(self) -> None:
        """Let go of NVML."""
        if self._handle is not None:
            _ask(self._nvml.nvmlShutdown)
            self._nvml = self._handle = self._before = None

    def _count(self) -> int | None:
        """Return the counter in millijoules, None where it counts for others too."""
        if self._handle is None:
            return None
        others = _ask(self._nvml.nvmlDeviceGetComputeRunningProcesses, self._handle)
        if others is None or len(others) > 1:
            return None
        count = _ask(self._nvml.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        return count if isinstance(count, int) else None


def gpu_uuid(device: torch.device) -> str | None:
    """Return the UUID of a CUDA device as NVML writes it, None for other devices.

    CUDA itself is asked, since it alone knows what CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER make of an ordinal: NVML
    counts the GPUs by their slots, hidden ones included.
    """
    if device.type != "cuda":
        return None
    uuid = getattr(_ask(torch.cuda.get_device_properties, device), "uuid", None)
    return None if uuid is None else f"GPU-{str(uuid).removeprefix('GPU-')}"


def _open(uuid: str) -> tuple[Any, Any]:
    """Return NVML and its handle of the GPU; nothing where there is none, or the GPU is divided.

    The UUID of a MIG instance is that of no GPU, and so not found; some drivers give the UUID of its GPU instead.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # without a driver there is no library, and it fails in many ways
        return None, None
    handle = _ask(pynvml.nvmlDeviceGetHandleByUUID, uuid)
    if handle is None or _divided(pynvml, handle):
        _ask(pynvml.nvmlShutdown)
        return None, None
    return pynvml, handle


def _divided(nvml: Any, handle: Any) -> bool:
    """Tell whether the GPU is in MIG mode; GPUs that do not know it are not."""
    mode = _ask(nvml.nvmlDeviceGetMigMode, handle)
    return mode is not None and mode[0] == nvml.NVML_DEVICE_MIG_ENABLE


def _ask(question: Any, *arguments: Any) -> Any:
    """Return an answer, None where there is none."""
    try:
        return question(*arguments)
    except Exception:  # energy is a courtesy: no failure to tell it may end a run
        return None
