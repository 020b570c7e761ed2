"""Profiles: the resources to request from a cluster."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import Field, PositiveInt, model_validator

from harness.config.base import Config
from harness.config.run import Run
from harness.launch.slurm.units import Gpus, Megabytes, Minutes
from harness.natural import natural


class Resources(Config):
    """The resources of one array task. Tasks with equal resources share arrays.

    `memory` is per node, in MB, `time` in minutes. `gpus_per_node` may name a type, as in `a100:4`.
    """

    partition: str | None = None
    nodes: PositiveInt = 1
    tasks_per_node: PositiveInt = 1
    gpus_per_node: Gpus = 0
    cpus_per_task: PositiveInt = 1
    memory: Megabytes | None = None
    time: Minutes = 24 * 60

    @property
    def gpus(self) -> int:
        """The number of GPUs per node; a type without a number is one GPU."""
        count = natural(str(self.gpus_per_node).rpartition(":")[2])
        return 1 if count is None else count

    @property
    def ranks(self) -> int:
        """The number of ranks per run."""
        return self.nodes * self.tasks_per_node


class Override(Config):
    """Other resources for runs of at least some size and with a matching name."""

    min_parameters: int = 0
    min_train_flops: float = 0.0
    runs: str = "*"
    partition: str | None = None
    nodes: PositiveInt | None = None
    tasks_per_node: PositiveInt | None = None
    gpus_per_node: Gpus | None = None
    cpus_per_task: PositiveInt | None = None
    memory: Megabytes | None = None
    time: Minutes | None = None

    def applies(self, run: Run) -> bool:
        """Return whether the override applies to a run."""
        large = run.parameters >= self.min_parameters and run.train_flops >= self.min_train_flops
        return large and fnmatchcase(run.name, self.runs)

    def resources(self) -> dict[str, Any]:
        """Return the changed fields."""
        return self.model_dump(include=set(Resources.model_fields), exclude_none=True)


class FollowUp(Config):
    """The small job that resubmits unfinished runs after the arrays of a submission have ended."""

    enabled: bool = True
    partition: str | None = None
    time: Minutes = 10
    memory: Megabytes | None = None
    sbatch: dict[str, str | int | bool] = Field(default_factory=dict)


class Profile(Resources):
    """The resources to request from a cluster, and its limits.

    `setup` lines run in the batch script before the worker. `sbatch` and `srun` options are passed through unchanged.
    The worker is signalled to save and exit `signal_seconds` before the time limit. `max_attempts` limits submissions
    of a run without progress, `max_restarts` requeues of a task that died without a record. `max_time` and `max_memory`
    limit raises by the policy. `runs_per_task` runs share an allocation, with `runs_per_gpu` on each GPU.
    `max_array_size` defaults to that of the cluster; `max_submit` is the maximum number of queued array tasks.
    """

    account: str | None = None
    qos: str | None = None
    setup: tuple[str, ...] = ()
    sbatch: dict[str, str | int | bool] = Field(default_factory=dict)
    srun: tuple[str, ...] = ()
    python: str | None = None
    array_parallelism: PositiveInt | None = None
    max_array_size: PositiveInt | None = None
    max_submit: PositiveInt | None = None
    signal_seconds: PositiveInt = 120
    requeue: bool = True
    max_restarts: Annotated[int, Field(ge=0)] = 3
    max_attempts: PositiveInt = 3
    max_time: Minutes | None = None
    max_memory: Megabytes | None = None
    runs_per_task: PositiveInt | None = None
    runs_per_gpu: PositiveInt = 1
    override: tuple[Override, ...] = ()
    follow_up: FollowUp = FollowUp()

    @model_validator(mode="after")
    def _check_packing(self) -> Self:
        variants = ((), *((entry,) for entry in self.override))
        if self.packed > 1 and any(self._changed_by(entries).ranks > 1 for entries in variants):
            raise ValueError(f"{self.packed} runs in a task need nodes = 1 and tasks_per_node = 1")
        return self

    @model_validator(mode="after")
    def _check_signal(self) -> Self:
        for entries in ((), *((entry,) for entry in self.override)):
            if self.signal_seconds >= (limit := 60 * self._changed_by(entries).time):
                raise ValueError(
                    f"signal_seconds = {self.signal_seconds} is not below the time limit of {limit} seconds"
                )
        return self

    @property
    def packed(self) -> int:
        """The number of runs that share one allocation."""
        return self.runs_per_task or (self.gpus * self.runs_per_gpu if self.runs_per_gpu > 1 else 1)

    def resources(self) -> Resources:
        """Return the resources of a run without overrides."""
        return self._changed_by(())

    def resources_for(self, run: Run) -> Resources:
        """Return the resources of a run; later overrides take precedence."""
        return self._changed_by([entry for entry in self.override if entry.applies(run)])

    def _changed_by(self, overrides: Sequence[Override]) -> Resources:
        fields = {name: getattr(self, name) for name in Resources.model_fields}
        for entry in overrides:
            fields |= entry.resources()
        return Resources(**fields)
