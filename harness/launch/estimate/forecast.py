"""The expected cost of a plan: remaining device hours, the longest chain, and the time for a number of workers."""

from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Any

from harness.launch.estimate.run_estimates import DONE, Estimate, Estimator, estimator
from harness.launch.estimate.target import Target
from harness.launch.plan import Plan, PlannedRun
from harness.store.results import Results
from harness.store.usage import SECONDS_PER_HOUR, Usage, hours, usage_of


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
