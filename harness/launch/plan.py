"""The plan: the distinct runs of tables and figures, with their costs and states."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from harness.config.evaluations import Evaluation
from harness.config.run import Run
from harness.registry.cells import cells
from harness.registry.collisions import refuse_collisions
from harness.registry.exhibit import Exhibit
from harness.registry.paper import GpuHours, Paper
from harness.registry.row import Row
from harness.registry.selection import select_rows
from harness.store.code import other_code_of
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

BYTES_PER_PARAMETER = 16
"""Float32 weights, two optimiser moments and the EMA."""
CHECKPOINTS_KEPT = 2
WEIGHTS_KEPT = 10
"""EMA weights after each tenth of the training."""


@dataclass
class PlannedRun:
    """A distinct run, its requested evaluations, and the tables and figures that share it.

    `worker_command` is the command of its worker.
    """

    worker_command: ClassVar[str] = "worker"

    run: Run
    directory: RunDirectory
    gpu_hours: GpuHours | None
    exhibits: list[str] = field(default_factory=list)
    evaluations: dict[str, Evaluation] = field(default_factory=dict)

    @property
    def state(self) -> RunState:
        """The state of the run with respect to the requested evaluations."""
        return self.directory.state(self.evaluations.values())

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """The distributions with code that has changed since the run was measured."""
        return other_code_of(self.directory)

    def request(self) -> None:
        """Write the run and its requests to the results directory."""
        self.directory.request(self.run, self.evaluations.values())


@dataclass(frozen=True)
class Plan:
    """The distinct runs of a selection of exhibits, ordered by first row."""

    scale: str
    runs: tuple[PlannedRun, ...]

    def share(self, index: int, count: int) -> "Plan":
        """Return the share of task `index` of `count`: every task gets expensive and cheap runs."""
        ordered = sorted(self.runs, key=lambda planned: -planned.run.train_flops)
        return replace(self, runs=tuple(ordered[index::count]))

    def unfinished(self) -> list[PlannedRun]:
        """Return the runs that `run` would execute, the most expensive first."""
        todo = [planned for planned in self.runs if planned.state not in (RunState.DONE, RunState.CANCELLED)]
        return sorted(todo, key=lambda planned: -planned.run.train_flops)

    def cancelled(self) -> list[PlannedRun]:
        """Return the cancelled runs, which `run` skips."""
        return [planned for planned in self.runs if planned.state is RunState.CANCELLED]

    def done(self) -> list[PlannedRun]:
        """Return the finished runs."""
        return [planned for planned in self.runs if planned.state is RunState.DONE]

    def stale(self) -> list[PlannedRun]:
        """Return the runs measured with other code than is installed now, except cancelled ones."""
        return [planned for planned in self.runs if planned.stale and planned.state is not RunState.CANCELLED]

    def with_stale_superseded(self, results: Results) -> "Plan":
        """Return the plan as it would be after moving all stale runs to `superseded/`."""
        stale = {planned.run.id for planned in self.stale()}
        nowhere = results.superseded / "next"
        runs = (replace(p, directory=RunDirectory(nowhere / p.run.id)) if p.run.id in stale else p for p in self.runs)
        return replace(self, runs=tuple(runs))

    def to_json(self) -> dict[str, Any]:
        """Return the plan as documented JSON (docs/results.md)."""
        states = {planned.run.id: planned.state for planned in self.runs}
        return {
            "scale": self.scale,
            "runs": [
                {
                    "id": planned.run.id,
                    "name": planned.run.name,
                    "tables": planned.exhibits,
                    "config": planned.run.config.model_dump(mode="json"),
                    "evaluations": [e.model_dump(mode="json") for e in planned.evaluations.values()],
                    "parameters": planned.run.parameters,
                    "iterations": planned.run.iterations,
                    "train_flops": planned.run.train_flops,
                    "reported_gpu_hours": planned.gpu_hours.hours if planned.gpu_hours else None,
                    "gpu_hours_source": planned.gpu_hours.source if planned.gpu_hours else None,
                    "state": states[planned.run.id],
                    "stale": list(planned.stale),
                }
                for planned in self.runs
            ],
            "totals": {
                "runs": len(self.runs),
                "done": sum(state is RunState.DONE for state in states.values()),
                **costs(self.runs),
            },
        }


def as_requested(directory: RunDirectory) -> PlannedRun:
    """Return a stored run with all requested evaluations.

    Raises `StoreError` for a damaged directory, and `OutdatedError` for a directory of another code version.
    """
    evaluations = {evaluation.id: evaluation for evaluation in directory.requested()}
    return PlannedRun(directory.run(), directory, None, evaluations=evaluations)


def costs(runs: Sequence[PlannedRun]) -> dict[str, Any]:
    """Return the total cost of some runs, independent of their progress."""
    hours = [planned.gpu_hours.hours for planned in runs if planned.gpu_hours]
    return {
        "iterations": sum(planned.run.iterations for planned in runs),
        "train_flops": sum(planned.run.train_flops for planned in runs),
        "reported_gpu_hours": round(sum(hours), 1) if hours else None,
        "disk_bytes": sum(disk_bytes(planned) for planned in runs),
    }


def make_plan(
    selection: Sequence[tuple[Paper, Exhibit]],
    scale_name: str,
    seeds: int,
    patterns: Sequence[str],
    results: Results,
) -> Plan:
    """Return the distinct runs of some exhibits at a scale, for seeds 0 to `seeds - 1`.

    With `patterns`, only the rows that match one of them. Raises `SpecError` for an unknown scale, a pattern that
    matches no row, and scale rules that map two runs to one.
    """
    chosen = select_rows(selection, patterns)
    found = plan_of(scale_name, ((paper, exhibit, rows, range(seeds)) for paper, exhibit, rows in chosen), results)
    for paper in {paper.name: paper for paper, _ in selection}.values():
        own = ((exhibit, rows) for owner, exhibit, rows in chosen if owner is paper)
        refuse_collisions(paper, own, paper.scale(scale_name))
    return found


def plan_of(
    scale_name: str, wanted: Iterable[tuple[Paper, Exhibit, Sequence[Row], Sequence[int]]], results: Results
) -> Plan:
    """Return the distinct runs of some rows of exhibits, each with its seeds."""
    planned: dict[str, PlannedRun] = {}
    for paper, exhibit, rows, seeds in wanted:
        scale = paper.scale(scale_name)
        for cell in cells(paper, exhibit, rows, scale, seeds):
            if cell.run.id not in planned:
                hours = paper.reported_hours(cell.original) if scale.comparable else None
                planned[cell.run.id] = PlannedRun(cell.run, results.directory(cell.run), hours)
            entry = planned[cell.run.id]
            name = f"{paper.name}/{exhibit.name}"
            if name not in entry.exhibits:
                entry.exhibits.append(name)
            entry.evaluations[cell.evaluation.id] = cell.evaluation
    return Plan(scale_name, tuple(planned.values()))


def disk_bytes(planned: PlannedRun) -> int:
    """Return an upper bound on a run's disk use in bytes: checkpoints, EMA weights and arrays."""
    run, config = planned.run, planned.run.config
    kept = config.method.kept_bytes(config.data)
    weights = WEIGHTS_KEPT * (4 * run.parameters + kept)
    best = 4 * run.parameters + kept if config.training.select is not None else 0
    state = config.method.states_kept * (BYTES_PER_PARAMETER * run.parameters + kept)
    training = CHECKPOINTS_KEPT * (state + best)
    arrays = sum(evaluation.disk_bytes(config.data) for evaluation in planned.evaluations.values())
    return weights + training + arrays
