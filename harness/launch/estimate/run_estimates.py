"""The remaining device time of a run, from measurements or the paper's hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.config.evaluations import Evaluation
from harness.launch.estimate.observations import observe
from harness.launch.estimate.target import Target
from harness.launch.estimate.throughput import Speeds, scaled, speeds_by_device, step_flops
from harness.launch.plan import PlannedRun
from harness.store.names import numbered
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.store.usage import SECONDS_PER_HOUR, Usage

Source = Literal["done", "measured", "rehearsed", "similar", "reference", "paper", "none"]


@dataclass(frozen=True)
class Estimate:
    """The remaining device seconds of a run, None if unknown, and their source.

    `measured` is the run's own speed, `rehearsed` its rehearsal, `similar` the speed of similar runs, `reference` that
    of the same or similar runs of the reference results, `paper` the hours reported by the authors.
    """

    seconds: float | None
    source: Source
    says: str
    device: str | None = None
    on_gpu: bool = False

    @property
    def usage(self) -> Usage:
        """The remaining hours as a `Usage`."""
        value = (self.seconds or 0.0) / SECONDS_PER_HOUR
        return Usage(gpu_hours=value) if self.on_gpu else Usage(core_hours=value)

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as documented JSON (docs/results.md)."""
        value = None if self.seconds is None else round(self.seconds / SECONDS_PER_HOUR, 6)
        return {
            "gpu_hours": value if self.on_gpu else None,
            "core_hours": None if self.on_gpu else value,
            "source": self.source,
            "device": self.device,
            "says": self.says,
        }


DONE = Estimate(0.0, "done", "nothing is left to do")
UNKNOWN = Estimate(None, "none", "no measurement yet")
UNREADABLE = Estimate(None, "none", "a file of the run is damaged")


class Estimator:
    """Estimates runs from measurements; earlier devices in `order` take precedence."""

    def __init__(self, order: Sequence[Speeds]) -> None:
        self._order = order

    def estimate(self, planned: PlannedRun) -> Estimate:
        """Estimate the rest of a run: from its own speed, else similar runs, else the paper's hours."""
        steps, missing = steps_left(planned), missing_evaluations(planned)
        if not steps and not missing:
            return UNREADABLE if planned.state is RunState.UNREADABLE else DONE
        for speeds in self._order:
            found = self._measured(planned, steps, missing, speeds)
            if found is not None:
                return found
        return _reported(planned, steps, missing)

    def _measured(
        self, planned: PlannedRun, steps: int, missing: Sequence[Evaluation], speeds: Speeds
    ) -> Estimate | None:
        """Return an estimate from one kind of device, None if it has no suitable measurements."""
        run, own = planned.run, speeds.steps.get(planned.run.id)
        alike = speeds.like(run)
        if not own and not alike:
            return None
        step_seconds = own[1] if own else scaled(alike, step_flops(run))
        seconds, unmeasured = steps * step_seconds, list[str]()
        for evaluation in missing:
            rehearsed = speeds.own_rehearsal(evaluation, run)
            if rehearsed is not None:
                seconds += rehearsed
                continue
            work, samples = evaluation.work(run.config), speeds.evaluations_like(evaluation, run)
            at_training_speed = work.total * step_seconds / step_flops(run)
            seconds += work.passes * scaled(samples, work.flops) if samples else at_training_speed
            unmeasured += [] if samples or not work.passes else [evaluation.kind]
        seconds += speeds.rest(run) + (speeds.first_step(run) if steps else 0.0)
        source: Source = ("rehearsed" if own[2] else "measured") if own else "similar"
        words = {"measured": "its own speed", "rehearsed": "its rehearsal"}
        says = words.get(source) or f"{len(alike)} run{'s' * (len(alike) > 1)} like it"
        if speeds.origin:
            source, says = "reference", f"{speeds.origin}: {'this run' if own else says}"
        says += f"; {', '.join(dict.fromkeys(unmeasured))} at the speed of training" if unmeasured else ""
        return Estimate(seconds, source, says, speeds.device, speeds.on_gpu)


def _reported(planned: PlannedRun, steps: int, missing: Sequence[Evaluation]) -> Estimate:
    """Return an estimate from the authors' training hours.

    These exclude evaluations, which are assumed to run at the same speed.
    """
    run, reported = planned.run, planned.gpu_hours
    if reported is None or not run.train_flops:
        return UNKNOWN
    flops = steps * step_flops(run) + sum(evaluation.work(run.config).total for evaluation in missing)
    seconds = reported.hours * SECONDS_PER_HOUR * flops / run.train_flops
    return Estimate(seconds, "paper", f"the paper's hours, {reported.source}", "the paper's GPU", on_gpu=True)


def steps_left(planned: PlannedRun) -> int:
    """Return the number of training steps after the newest checkpoint."""
    if planned.directory.training.exists():
        return 0
    taken = numbered(planned.directory.checkpoints, after=".json", digits=9)
    return max(planned.run.iterations - max(taken, default=0), 0)


def missing_evaluations(planned: PlannedRun) -> list[Evaluation]:
    """Return the requested evaluations without a record that counts."""
    return planned.directory.unmeasured(planned.evaluations.values())


def estimator(results: Results, target: Target, reference: Results | None = None) -> Estimator:
    """Return an estimator by the measurements in a results directory, and where these do not suffice, in another one.

    Without measurements on the target's kind of device, other kinds are used.
    """
    order = sorted(speeds_by_device(observe(results)).values(), key=target.device_distance)
    if reference:
        others = speeds_by_device(observe(reference), reference.label).values()
        order += sorted(others, key=target.device_distance)
    return Estimator(order)
