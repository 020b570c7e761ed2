"""The execution target of a forecast: workers, ranks and device."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.launch.estimate.throughput import Speeds
from harness.launch.machine import device_kind, gpu_ids


@dataclass(frozen=True)
class Target:
    """The execution target: `workers` concurrent runs, and the number of `ranks` by run id, 1 by default.

    `device` is the name of the device, None if unknown; `on_gpu` is whether it is a GPU. With `features`, a separate
    stage computes the features that several runs share.
    """

    workers: int
    ranks: Mapping[str, int] = field(default_factory=dict)
    device: str | None = None
    on_gpu: bool = False
    features: bool = False

    @classmethod
    def here(cls, workers: int, ranks: Mapping[str, int]) -> "Target":
        """Return the target for this machine."""
        return cls(workers, ranks, device_kind(), bool(gpu_ids()))

    def device_distance(self, speeds: Speeds) -> tuple[bool, bool]:
        """Sort key: measurements from the same device first, then from the same kind (GPU or CPU), then the rest."""
        return speeds.device != self.device, speeds.on_gpu != self.on_gpu
