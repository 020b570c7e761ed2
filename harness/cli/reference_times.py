"""The time of the user's own unfinished runs, by the times of the same runs in the reference results."""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.cli.result_source import reference_of
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.launch.plan import PlannedRun
    from harness.registry.exhibit import Exhibit
    from harness.registry.paper import Paper
    from harness.report.results.remaining_time import RemainingTime
    from harness.store.records import Segment


class ReferenceTimes:
    """The times of runs at a scale, as the reference results have measured them; nothing is computed from other runs.

    `plan` also estimates runs that nobody has measured; for that it counts operations, and may import torch.
    """

    def __init__(self, settings: Settings, scale: str) -> None:
        self._own, self._scale = replace(settings, shown=None).results, scale
        self._reference = reference_of(settings)

    def of(self, paper: "Paper", exhibit: "Exhibit") -> "RemainingTime":
        """Return the seconds that the first run of each row still takes, None if the reference results lack it."""
        from harness.launch.plan import make_plan
        from harness.report.results.remaining_time import RemainingTime
        from harness.store.run_directory import RunState

        plan = make_plan([(paper, exhibit)], self._scale, 1, (), self._own)
        todo = [planned for planned in plan.runs if planned.state is not RunState.DONE]
        return RemainingTime(self._workers, {planned.run.id: self._seconds(planned) for planned in todo})

    @property
    def nothing_left(self) -> "RemainingTime":
        """The remaining time where all first runs are done."""
        from harness.report.results.remaining_time import RemainingTime

        return RemainingTime(self._workers)

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that the reference results were measured on."""
        found = self._reference.all() if self._reference else []
        names = (segment.device_name for directory in found for segment in self._segments(directory.id))
        return tuple(dict.fromkeys(name for name in names if name))

    def _seconds(self, planned: "PlannedRun") -> float | None:
        """Return the seconds that the same run took for what is left of this one, None if it is not known."""
        from harness.launch.estimate.run_estimates import missing_evaluations, steps_left

        segments = self._segments(planned.run.id)
        measured = {id: seconds for segment in segments for id, seconds in segment.evaluations.items()}
        missing = missing_evaluations(planned)
        if not segments or any(evaluation.id not in measured for evaluation in missing):
            return None
        share = steps_left(planned) / planned.run.iterations if planned.run.iterations else 0.0
        training = sum(segment.training_seconds or 0.0 for segment in segments)
        return share * training + sum(measured[evaluation.id] for evaluation in missing)

    def _segments(self, run: str) -> "Sequence[Segment]":
        from harness.store.files import StoreError

        try:
            return self._reference.reader.segments(run) if self._reference else ()
        except StoreError:
            return ()

    @cached_property
    def _workers(self) -> int:
        from harness.launch.machine import default_workers

        return default_workers()
