"""Where runs are to be executed, as far as it decides how long they take."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.launch.estimate.throughput import Speeds
from harness.launch.machine import device_kind, gpu_ids


@dataclass(frozen=True)
class Target:
    """Where runs are to be executed: `workers` side by side, each run by its number of `ranks`, one where it has none.

    `device` is the kind of device where it is known, else `on_gpu` says what sort it is. With `features`, a stage of
    their own makes what several runs share.
    """

    workers: int
    ranks: Mapping[str, int] = field(default_factory=dict)
    device: str | None = None
    on_gpu: bool = False
    features: bool = False

    @classmethod
    def here(cls, workers: int, ranks: Mapping[str, int]) -> "Target":
        """Return this machine."""
        return cls(workers, ranks, device_kind(), bool(gpu_ids()))

    def device_distance(self, speeds: Speeds) -> tuple[bool, bool]:
        """Order kinds of devices by how little they tell of this site."""
        return speeds.device != self.device, speeds.on_gpu != self.on_gpu
