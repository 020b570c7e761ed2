"""The cost of runs: device hours and energy over all segments."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from harness.store.files import StoreError
from harness.store.records import Segment
from harness.store.run_directory import RunDirectory

JOULES_PER_KWH = 3.6e6
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Usage:
    """GPU-hours and core-hours: seconds times ranks, summed over segments, including interrupted and failed ones.

    `energy_joules` is measured by NVML, None without measurement; it covers `energy_gpu_hours` of the GPU-hours.
    """

    gpu_hours: float = 0.0
    core_hours: float = 0.0
    energy_joules: float | None = None
    energy_gpu_hours: float = 0.0

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Self:
        """Return the total usage of some segments."""
        return cls.sum(cls._of(segment) for segment in segments)

    @classmethod
    def sum(cls, parts: Iterable[Self]) -> Self:
        """Return the sum of several usages."""
        parts = list(parts)
        energies = [part.energy_joules for part in parts if part.energy_joules is not None]
        return cls(
            gpu_hours=sum(part.gpu_hours for part in parts),
            core_hours=sum(part.core_hours for part in parts),
            energy_joules=sum(energies) if energies else None,
            energy_gpu_hours=sum(part.energy_gpu_hours for part in parts),
        )

    @classmethod
    def _of(cls, segment: Segment) -> Self:
        hours = segment.device_seconds / SECONDS_PER_HOUR
        if not segment.on_gpu:
            return cls(core_hours=hours)
        known = segment.energy_joules is not None
        return cls(gpu_hours=hours, energy_joules=segment.energy_joules, energy_gpu_hours=hours if known else 0.0)

    def to_json(self) -> dict[str, float | None]:
        """Return the fields, rounded."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: None if value is None else round(value, 6) for name, value in values}

    def __str__(self) -> str:
        """Return a short text, such as `31.2 GPU-hours (7.80 kWh)`, "" for no usage."""
        parts = [f"{hours(self.gpu_hours)} GPU-hours{self._energy()}"] if self.gpu_hours else []
        parts += [f"{hours(self.core_hours)} core-hours"] if self.core_hours else []
        return " and ".join(parts)

    def _energy(self) -> str:
        if self.energy_joules is None:
            return ""
        kwh = f"{self.energy_joules / JOULES_PER_KWH:.3g} kWh"
        part = self.energy_gpu_hours < 0.995 * self.gpu_hours
        return f" ({kwh} in {hours(self.energy_gpu_hours)} of them)" if part else f" ({kwh})"


def usage_of(directory: RunDirectory) -> Usage:
    """Return the cost of a run so far, zero if its segments are unreadable."""
    try:
        return Usage.of(directory.all_segments())
    except StoreError:
        return Usage()


def hours(value: float) -> str:
    """Format hours with a sensible number of digits."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 0.1:
        return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.001 or not value else "< 0.001"


def about(seconds: float) -> str:
    """Return a duration in rounded words, such as `about 12 min`."""
    minutes, hours = seconds / 60, seconds / SECONDS_PER_HOUR
    if minutes < 0.75:
        return f"about {max(round(seconds / 10), 1) * 10} s"
    if minutes < 50:
        return f"about {max(round(minutes), 1) if minutes < 20 else 5 * round(minutes / 5)} min"
    if hours < 10:
        return f"about {max(round(2 * hours), 2) / 2:g} h"
    return f"about {round(hours)} h" if hours < 48 else f"about {round(hours / 24):,} days"
