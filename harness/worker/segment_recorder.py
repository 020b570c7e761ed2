"""A worker's stay on a run, as a segment of the run directory: what it cost, and how fast it was."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch

from harness.store.provenance import segment
from harness.store.records import DistributionRecord
from harness.store.run_directory import RunDirectory
from harness.training.device import device_name
from harness.worker.energy import EnergyMeter, gpu_uuid

KEEP_SECONDS = 30.0
"""A worker that is killed loses no more than this of what it cost."""


class SegmentRecorder:
    """A worker's stay on a run, from its beginning to its end, whether it trains, measures or is killed.

    Every rank has one. The first writes; the others count the energy of their GPUs.
    """

    def __init__(self, directory: RunDirectory, device: torch.device, rank: int = 0, world_size: int = 1) -> None:
        self._begun = self._kept = self._begun_training = time.monotonic()
        self._first = rank == 0
        self._alone = world_size == 1
        self._uuid = gpu_uuid(device)
        self._meter = EnergyMeter(self._uuid)
        self._segment = segment(str(device), device_name(device), torch.get_num_threads(), world_size)
        taken = [int(path.stem) for path in directory.segments.glob("*.json")]
        self._path = directory.segments / f"{max(taken, default=0) + 1}.json"
        self.keep()

    def made_with(self, distributions: tuple[DistributionRecord, ...]) -> None:
        """Note the distributions whose code the run uses."""
        self._note(distributions=distributions)
        self.keep()

    def begin_training(self, step: int, loader: str) -> None:
        """Note from which step training goes on, and what keeps its images."""
        self._begun_training = time.monotonic()
        self._note(first_step=step, loader=loader, steps=0, training_seconds=0.0)
        self.keep()

    def trained_to(self, step: int) -> None:
        """Note the step that training has reached."""
        now = time.monotonic()
        first = self._segment.first_step
        assert first is not None, "training was not begun"
        self._note(steps=step - first, training_seconds=round(now - self._begun_training, 3))
        if self._segment.first_step_seconds is None:
            self._note(first_step_seconds=round(now - self._begun_training, 3))
        self.keep_sometimes()

    def evaluated(self, evaluation: str, seconds: float) -> None:
        """Note an evaluation that is done."""
        self._note(evaluations={**self._segment.evaluations, evaluation: seconds})
        self.keep()

    def gather_energy(self, joined: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Add up the energy of all ranks, each GPU once. Every rank has to call it; `joined` gathers their parts."""
        own = (self._segment.host, self._uuid, self._meter.joules())
        found = {(host, uuid): joules for host, uuid, joules in joined([own])}
        if self._uuid is not None:
            self._note(devices=len(found))
        self._note(energy_joules=_sum(list(found.values())))

    def keep_sometimes(self) -> None:
        """Write the segment if the last time is long enough ago."""
        if time.monotonic() - self._kept >= KEEP_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Write the segment as it stands."""
        if not self._first:
            return
        self._kept = time.monotonic()
        self._note(seconds=round(self._kept - self._begun, 3))
        if self._alone:
            self._note(energy_joules=_sum([self._meter.joules()]))
        self._segment.save(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        found_nothing_to_do = kind is None and self._segment.first_step is None and not self._segment.evaluations
        if self._first and found_nothing_to_do:
            self._path.unlink(missing_ok=True)
        else:
            self.keep()
        self._meter.close()

    def _note(self, **fields: Any) -> None:
        self._segment = self._segment.model_copy(update=fields)


def _sum(joules: Sequence[float | None]) -> float | None:
    """Return the sum, None where one of them is not known."""
    known = [value for value in joules if value is not None]
    return round(sum(known), 3) if known and len(known) == len(joules) else None
