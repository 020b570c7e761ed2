"""Readiness: how many runs of a scale can start on this machine, and what the others are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.doctor.check import Check, CheckState, gigabytes
from harness.launch.needs import datasets_of
from harness.launch.plan import Plan, PlannedRun, costs, disk_bytes
from harness.store.run_directory import RunState

BASICS = ("torch", "results", "data")
GPU_FROM_FLOPS = 1e16
"""Training runs with more FLOPs would take days on a CPU, so they need a GPU."""


@dataclass(frozen=True)
class Readiness:
    """The readiness of a scale: runs that can start, runs that can be measured completely, and what is missing."""

    scale: str
    runs: int
    done: int
    can_start: int
    can_finish: int
    reported_gpu_hours: float | None
    missing: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        """Return the readiness as documented JSON (docs/results.md)."""
        return {
            "scale": self.scale,
            "ready": self.ready,
            "runs": self.runs,
            "done": self.done,
            "can_start": self.can_start,
            "can_finish": self.can_finish,
            "reported_gpu_hours": self.reported_gpu_hours,
            "missing": list(self.missing),
        }


def assess(plan: Plan, checks: Sequence[Check]) -> Readiness:
    """Return the readiness of a scale according to the checks. Runs that are done need nothing."""
    absent = {check.name for check in checks if check.state is CheckState.MISSING}
    todo = [planned for planned in plan.runs if planned.state is not RunState.DONE]
    starting = [[name for name in _to_start(planned) if name in absent] for planned in todo]
    finishing = [[name for name in _to_finish(planned) if name in absent] for planned in todo]
    missing = dict.fromkeys(name for names in (*starting, *finishing) for name in names)
    return Readiness(
        scale=plan.scale,
        runs=len(plan.runs),
        done=len(plan.runs) - len(todo),
        can_start=sum(not names for names in starting),
        can_finish=sum(not names for names in finishing),
        reported_gpu_hours=costs(plan.runs)["reported_gpu_hours"],
        missing=(*missing, *_room(todo, checks, absent)),
    )


def _to_start(planned: PlannedRun) -> list[str]:
    """Return the names of the checks that training a run needs."""
    gpu = ["gpu"] if planned.run.train_flops > GPU_FROM_FLOPS else []
    return [*BASICS, *gpu, planned.run.config.data.name]


def _to_finish(planned: PlannedRun) -> list[str]:
    """Return the names of the checks that training and evaluating a run needs."""
    embeddings = (evaluation.embedding for evaluation in planned.evaluations.values())
    spaces = dict.fromkeys(name for embedding in embeddings if embedding for name in embedding.space.requires)
    return [*_to_start(planned), *datasets_of(planned), *spaces]


def _room(todo: Sequence[PlannedRun], checks: Sequence[Check], absent: set[str]) -> list[str]:
    """Return problems if results, or datasets still to be prepared, may not fit on the disk."""
    facts = {check.name: check.facts for check in checks}
    unprepared = {name: facts[name]["bytes"] for planned in todo for name in datasets_of(planned) if name in absent}
    needed = {"results": sum(disk_bytes(planned) for planned in todo), "data": sum(unprepared.values())}
    return [
        f"room for {name} ({gigabytes(free)} of {gigabytes(size)})"
        for name, size in needed.items()
        if (free := facts[name].get("free_bytes", size)) < size
    ]
