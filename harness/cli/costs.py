"""The expected cost of runs where they are executed: on this machine, or as arrays on a cluster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.cli.executors import ExecutorOptions
from harness.cli.result_source import reference_of
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.launch.estimate.forecast import Forecast
    from harness.launch.estimate.run_estimates import Estimator
    from harness.launch.estimate.target import Target
    from harness.launch.plan import Plan
    from harness.launch.slurm.arrange import Arrangement
    from harness.launch.slurm.profile import Profile


@dataclass(frozen=True)
class ArrayPlan:
    """The arrays that a profile would submit."""

    profile: "Profile"
    arrangement: "Arrangement"

    def at_a_time(self, tasks: int) -> int:
        """Return how many tasks of an array may run at the same time."""
        return min(self.profile.array_parallelism or tasks, tasks)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the arrays as documented JSON (docs/results.md), in the order of submission."""
        return [
            {
                "tasks": len(array.tasks),
                "runs": [list(task.runs) for task in array.tasks],
                "kind": array.tasks[0].kind,
                "stage": array.stage,
                "at_a_time": self.at_a_time(len(array.tasks)),
                "resources": array.resources.model_dump(mode="json"),
            }
            for array in self.arrangement.arrays
        ]

    def lines(self) -> list[str]:
        """Return a line for every array, and one for the runs that wait."""
        from harness.launch.slurm.arrange import shapes

        later = len(self.arrangement.waiting)
        lines = shapes(self.arrangement.arrays, self.profile.array_parallelism)
        return [*lines, *([f"{later} more runs when the queue has room again"] if later else [])]


def forecast_here(settings: Settings, plan: "Plan", workers: int | None, ranks: int = 1) -> "Forecast":
    """Return the expected cost of a plan on this machine, with `ranks` devices per run."""
    from harness.launch.estimate.forecast import forecast_by

    target = target_here(workers, {run.run.id: ranks for run in plan.runs}, ranks)
    return forecast_by(estimator_here(settings, target), plan, target)


def target_here(workers: int | None, ranks: Mapping[str, int] | None = None, at_most: int = 1) -> "Target":
    """Return this machine as a target, by default with as many workers as have `at_most` ranks each."""
    from harness.launch.estimate.target import Target
    from harness.launch.machine import default_workers

    return Target.here(workers or max(default_workers() // at_most, 1), ranks or {})


def estimator_here(settings: Settings, target: "Target") -> "Estimator":
    """Return the estimator by the user's own runs, and where these do not suffice, by the reference results."""
    from harness.launch.estimate.run_estimates import estimator

    return estimator(settings.results, target, reference_of(settings))


def forecast_on_cluster(settings: Settings, plan: "Plan", arrays: ArrayPlan) -> "Forecast":
    """Return the expected cost of a plan on a cluster that runs as many tasks at a time as the arrays allow."""
    from harness.launch.estimate.forecast import forecast_by
    from harness.launch.estimate.target import Target

    of_runs = [array for array in arrays.arrangement.arrays if array.tasks[0].kind == "runs"]
    ranks = {run: array.resources.ranks for array in of_runs for task in array.tasks for run in task.runs}
    workers = sum(arrays.at_a_time(len(array.tasks)) for array in of_runs) * arrays.profile.packed
    features = len(of_runs) < len(arrays.arrangement.arrays)
    on_gpu = any(array.resources.gpus for array in of_runs)
    target = Target(max(workers, 1), ranks, on_gpu=on_gpu, features=features)
    return forecast_by(estimator_here(settings, target), plan, target)


def forecast_for(settings: Settings, plan: "Plan", executor: ExecutorOptions) -> "Forecast":
    """Return the expected cost of a plan with the selected executor."""
    from harness.launch.machine import gpu_ids

    if executor.executor == "slurm" and executor.profile:
        return forecast_on_cluster(
            settings, plan, arrays_of(settings, plan, executor.profile, executor.array_parallelism)
        )
    if executor.executor == "torchrun":
        ranks = (executor.nproc_per_node or max(len(gpu_ids()), 1)) * (executor.nnodes or 1)
        return forecast_here(settings, plan, executor.workers, ranks)
    return forecast_here(settings, plan, executor.workers)


def arrays_of(settings: Settings, plan: "Plan", name: str, parallelism: int | None = None) -> ArrayPlan:
    """Return the arrays of a plan's unfinished runs, without checking the queue.

    Raises `SpecError` for an unknown profile.
    """
    from harness.config.execution import Execution
    from harness.launch.slurm.profile_files import load_profile
    from harness.launch.slurm.scheduler import Scheduler
    from harness.launch.slurm.submit import Request, preview

    profile = load_profile(name)
    profile = profile.but(array_parallelism=parallelism or profile.array_parallelism)
    request = Request(settings.results, settings.data_root, name, profile, Execution())
    return ArrayPlan(profile, preview(request, plan.unfinished(), Scheduler(min_interval=0)))
