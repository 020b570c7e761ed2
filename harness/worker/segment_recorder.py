"""Records a segment: one worker's time on a run, its cost and its speed."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch

from harness.store.files import remove
from harness.store.names import next_number, numbered
from harness.store.provenance import segment
from harness.store.records import DistributionRecord
from harness.store.run_directory import RunDirectory
from harness.training.device import device_name
from harness.worker.energy import EnergyMeter, gpu_uuid

KEEP_SECONDS = 30.0
"""A killed worker loses at most this many seconds of its recorded cost."""


class SegmentRecorder:
    """Records one worker's segment of a run, whether it trains, evaluates or gets killed.

    Every rank has one. The first rank writes the file; the others measure the energy of their GPUs.
    """

    def __init__(self, directory: RunDirectory, device: torch.device, rank: int = 0, world_size: int = 1) -> None:
        self._begun = self._kept = self._begun_training = time.monotonic()
        self._first = rank == 0
        self._alone = world_size == 1
        self._uuid = gpu_uuid(device)
        self._meter = EnergyMeter(self._uuid)
        self._segment = segment(str(device), device_name(device), torch.get_num_threads(), world_size)
        number = next_number(numbered(directory.segments, after=".json"))
        self._path = directory.segments / f"{number}.json"
        self.keep()

    def made_with(self, distributions: tuple[DistributionRecord, ...]) -> None:
        """Record the distributions whose code the run uses."""
        self._note(distributions=distributions)
        self.keep()

    def begin_training(self, step: int, loader: str) -> None:
        """Record the step from which training resumes, and the loader of its images."""
        self._begun_training = time.monotonic()
        self._note(first_step=step, loader=loader, steps=0, training_seconds=0.0)
        self.keep()

    def trained_to(self, step: int) -> None:
        """Record the step that training has reached."""
        now = time.monotonic()
        first = self._segment.first_step
        assert first is not None, "training was not begun"
        self._note(steps=step - first, training_seconds=round(now - self._begun_training, 3))
        if self._segment.first_step_seconds is None:
            self._note(first_step_seconds=round(now - self._begun_training, 3))
        self.keep_sometimes()

    def evaluated(self, evaluation: str, seconds: float, sha256: str) -> None:
        """Record a finished evaluation and the hash of its record."""
        self._note(evaluations={**self._segment.evaluations, evaluation: seconds})
        self._note(records={**self._segment.records, evaluation: sha256})
        self.keep()

    def trained(self, sha256: str) -> None:
        """Record the hash of the training record."""
        self._note(training_record=sha256)
        self.keep()

    def gather_energy(self, all_gather: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Sum the energy of all ranks, each GPU once. Every rank calls it with its `all_gather`."""
        own = (self._segment.host, self._uuid, self._meter.joules())
        found = {(host, uuid): joules for host, uuid, joules in all_gather([own])}
        if self._uuid is not None:
            self._note(devices=len(found))
        self._note(energy_joules=_sum(list(found.values())))

    def keep_sometimes(self) -> None:
        """Write the segment, at most once every `KEEP_SECONDS`."""
        if time.monotonic() - self._kept >= KEEP_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Write the segment."""
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
        try:
            if self._first and found_nothing_to_do:
                remove(self._path)
            else:
                self.keep()
        finally:
            self._meter.close()

    def _note(self, **fields: Any) -> None:
        self._segment = self._segment.model_copy(update=fields)


def _sum(joules: Sequence[float | None]) -> float | None:
    """Return the sum, None if one value is unknown."""
    known = [value for value in joules if value is not None]
    return round(sum(known), 3) if known and len(known) == len(joules) else None
