"""The expected cost of a plan: remaining device hours, the longest chain, and the time for a number of workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Any, Literal

from harness.config.evaluations import Evaluation
from harness.launch.estimate.target import Target
from harness.launch.estimate.throughput import Speeds, observe, scaled, speeds_by_device, step_flops
from harness.launch.plan import Plan, PlannedRun
from harness.store.names import numbered
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.store.usage import SECONDS_PER_HOUR, Usage, hours, usage_of

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


@dataclass(frozen=True)
class Forecast:
    """The expected cost of a plan: estimates by run id, and the remaining runs in execution order."""

    plan: Plan
    estimates: dict[str, Estimate]
    todo: tuple[PlannedRun, ...]
    target: Target

    @property
    def known(self) -> list[tuple[PlannedRun, Estimate]]:
        """The remaining runs that have an estimate."""
        pairs = ((planned, self.estimates[planned.run.id]) for planned in self.todo)
        return [(planned, estimate) for planned, estimate in pairs if estimate.seconds is not None]

    @property
    def total(self) -> Usage:
        """The device hours of all remaining runs."""
        return Usage.sum(estimate.usage for _, estimate in self.known)

    @property
    def longest(self) -> tuple[PlannedRun, float] | None:
        """The longest run and its hours, a lower bound for any number of workers."""
        found = ((planned, self._hours(planned, estimate)) for planned, estimate in self.known)
        return max(found, key=lambda pair: pair[1], default=None)

    @property
    def wall_hours(self) -> float:
        """The hours until the last run ends if each free worker takes the next run."""
        free = [0.0] * self.target.workers
        heapify(free)
        for planned, estimate in self.known:
            heapreplace(free, free[0] + self._hours(planned, estimate))
        return max(free)

    def _hours(self, planned: PlannedRun, estimate: Estimate) -> float:
        """Return the wall-clock hours, assuming linear speed-up over ranks."""
        ranks = self.target.ranks.get(planned.run.id, 1)
        return (estimate.seconds or 0.0) / SECONDS_PER_HOUR / ranks

    def to_json(self) -> dict[str, Any]:
        """Return the totals as documented JSON (docs/results.md)."""
        total, longest = self.total, self.longest
        kinds = {estimate.on_gpu for _, estimate in self.known}
        return {
            "gpu_hours": round(total.gpu_hours, 6) if True in kinds else None,
            "core_hours": round(total.core_hours, 6) if False in kinds else None,
            "unknown": len(self.todo) - len(self.known),
            "longest_chain": [*(["features"] if self.target.features else []), longest[0].run.id] if longest else None,
            "longest_chain_hours": round(longest[1], 6) if longest else None,
            "workers": self.target.workers,
            "wall_hours": round(self.wall_hours, 6) if longest else None,
        }

    def lines(self) -> list[str]:
        """Return the totals as text."""
        if not self.todo:
            return []
        unknown = len(self.todo) - len(self.known)
        if self.longest is None:
            return [f"no measurement yet of {'this run' if unknown == 1 else f'any of these {unknown} runs'}"]
        run, chain = self.longest
        without = f"; excluding {unknown} without an estimate" if unknown else ""
        name = f"features, then {run.run.name}" if self.target.features else run.run.name
        return [
            f"left to do: {self.total} ({self.sources()}{without})",
            f"longest chain: {duration(chain)} ({name}); all of it with {self.target.workers} at a time: "
            f"{duration(self.wall_hours)}",
        ]

    def sources(self) -> str:
        """Describe the sources and devices of the estimates."""
        names = {
            "measured": "by their own speed",
            "rehearsed": "by their rehearsal",
            "similar": "by runs like them",
            "reference": "by the reference results",
            "paper": "by the paper's hours",
        }
        counts: dict[tuple[str, str | None], int] = {}
        for _, estimate in self.known:
            key = names[estimate.source], estimate.device
            counts[key] = counts.get(key, 0) + 1
        return ", ".join(f"{count} {name} on {device}" for (name, device), count in counts.items())


def estimator(results: Results, target: Target, reference: Results | None = None) -> Estimator:
    """Return an estimator by the measurements in a results directory, and where these do not suffice, in another one.

    Without measurements on the target's kind of device, other kinds are used.
    """
    order = sorted(speeds_by_device(observe(results)).values(), key=target.device_distance)
    if reference:
        others = speeds_by_device(observe(reference), reference.label).values()
        order += sorted(others, key=target.device_distance)
    return Estimator(order)


def forecast(plan: Plan, results: Results, target: Target) -> Forecast:
    """Estimate the cost of a plan from the measurements in a results directory."""
    return forecast_by(estimator(results, target), plan, target)


def forecast_by(estimator: Estimator, plan: Plan, target: Target) -> Forecast:
    """Estimate the cost of a plan."""
    estimates = {planned.run.id: estimator.estimate(planned) for planned in plan.runs}
    todo = tuple(planned for planned in plan.unfinished() if estimates[planned.run.id] is not DONE)
    return Forecast(plan, estimates, todo, target)


def duration(value: float) -> str:
    """Format hours as hours and minutes, or below one hour as minutes and seconds."""
    seconds = round(value * SECONDS_PER_HOUR)
    if seconds < SECONDS_PER_HOUR:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{hours(value)} h" if value >= 10 else f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def with_costs(document: dict[str, Any], expected: Forecast) -> dict[str, Any]:
    """Return the plan's JSON document with the expected and spent cost of each run, and the totals."""
    usage = {planned.run.id: usage_of(planned.directory) for planned in expected.plan.runs}
    runs = [
        {**run, "estimate": expected.estimates[run["id"]].to_json(), "spent": usage[run["id"]].to_json()}
        for run in document["runs"]
    ]
    totals = {**document["totals"], "estimate": expected.to_json(), "spent": Usage.sum(usage.values()).to_json()}
    return {**document, "runs": runs, "totals": totals}
