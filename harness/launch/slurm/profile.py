"""Profiles: what a cluster is to be asked for, read from a TOML file that a user can read."""

import math
import os
import re
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, PositiveInt, ValidationError, model_validator

from harness.config.base import Config
from harness.config.run import Run
from harness.errors import SpecError, unknown

FOLDERS = (Path("slurm/profiles"), Path("~/.config/harness/slurm"))
SUFFIX = ".toml"
MEGABYTES = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


def minutes(value: Any) -> int:
    """Return a time limit in minutes, rounded up: `90`, `12:00:00`, `2-12`, or `2-00:00:00` as SLURM reads them."""
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", str(value).strip())
    if match is None:
        raise ValueError("write minutes, HH:MM:SS or D-HH:MM:SS")
    days, first, second, third = (int(part) if part else 0 for part in match.groups())
    if match[1]:
        seconds = ((24 * days + first) * 60 + second) * 60 + third
    elif match[4]:
        seconds = (60 * first + second) * 60 + third
    else:
        seconds = 60 * first + second
    return max(1, math.ceil(seconds / 60))


def megabytes(value: Any) -> int:
    """Return a size in megabytes, rounded up: `64G`, `4000M`, or `4000` as SLURM reads them."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", str(value).strip().upper())
    if match is None:
        raise ValueError("write a size such as 64G or 4000M")
    return max(1, math.ceil(float(match[1]) * MEGABYTES[match[2] or "M"]))


Minutes = Annotated[int, BeforeValidator(minutes)]
Megabytes = Annotated[int, BeforeValidator(megabytes), PlainSerializer(lambda size: f"{size}M", when_used="json")]


class Resources(Config):
    """What one array task is given. Tasks with equal resources stand in the same arrays.

    `memory` is per node. `gpus_per_node` may name a kind, as in `a100:4`.
    """

    partition: str | None = None
    nodes: PositiveInt = 1
    tasks_per_node: PositiveInt = 1
    gpus_per_node: str | Annotated[int, Field(ge=0)] = 0
    cpus_per_task: PositiveInt = 1
    memory: Megabytes | None = None
    time: Minutes = 24 * 60

    @property
    def gpus(self) -> int:
        """The number of GPUs of a node."""
        count = str(self.gpus_per_node).rpartition(":")[2]
        return int(count) if count.isdigit() else 0

    @property
    def ranks(self) -> int:
        """The number of processes that work on one run."""
        return self.nodes * self.tasks_per_node


class Override(Config):
    """Other resources for some runs: those of at least a size, those whose name matches, or both."""

    min_parameters: int = 0
    min_train_flops: float = 0.0
    runs: str = "*"
    partition: str | None = None
    nodes: PositiveInt | None = None
    tasks_per_node: PositiveInt | None = None
    gpus_per_node: str | int | None = None
    cpus_per_task: PositiveInt | None = None
    memory: Megabytes | None = None
    time: Minutes | None = None

    def applies(self, run: Run) -> bool:
        """Tell whether the run is one of those meant."""
        large = run.parameters >= self.min_parameters and run.train_flops >= self.min_train_flops
        return large and fnmatchcase(run.name, self.runs)

    def resources(self) -> dict[str, Any]:
        """Return the fields that it changes."""
        return self.model_dump(include=set(Resources.model_fields), exclude_none=True)


class FollowUp(Config):
    """The small job that looks after a submission when its arrays have ended, and submits again what is not done."""

    enabled: bool = True
    partition: str | None = None
    time: Minutes = 10
    memory: Megabytes | None = None
    sbatch: dict[str, str | int | bool] = Field(default_factory=dict)


class Profile(Resources):
    """What a cluster is asked for, and how its limits are met.

    `setup` lines run in the batch script before the worker. `sbatch` and `srun` are passed through as they are.
    `signal_seconds` before the time limit the worker is asked to save and leave. `max_attempts` bounds how often a run
    is submitted without getting on, `max_restarts` how often a task is put back after a death without a record;
    `max_time` and `max_memory` bound what the policy may raise them to.
    `runs_per_task` runs share one allocation, `runs_per_gpu` of them each GPU. `max_array_size` is asked of
    the cluster where it is not given; `max_submit` is how many array tasks may be queued at a time.
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
    def _packing_is_on_one_process(self) -> Self:
        variants = ((), *((entry,) for entry in self.override))
        if self.packed > 1 and any(self._changed_by(entries).ranks > 1 for entries in variants):
            raise ValueError(f"{self.packed} runs in a task need nodes = 1 and tasks_per_node = 1")
        return self

    @property
    def packed(self) -> int:
        """How many runs share one allocation."""
        return self.runs_per_task or (self.gpus * self.runs_per_gpu if self.runs_per_gpu > 1 else 1)

    def resources(self) -> Resources:
        """Return what a run is given to which no override applies."""
        return self._changed_by(())

    def resources_for(self, run: Run) -> Resources:
        """Return what a run is given; later overrides win over earlier ones."""
        return self._changed_by([entry for entry in self.override if entry.applies(run)])

    def _changed_by(self, overrides: Sequence[Override]) -> Resources:
        fields = {name: getattr(self, name) for name in Resources.model_fields}
        for entry in overrides:
            fields |= entry.resources()
        return Resources(**fields)


def load_profile(name: str) -> Profile:
    """Return the profile of this name, or in the file of this path.

    It is looked for in `slurm/profiles/` and in `~/.config/harness/slurm/`. Raises `SpecError`, naming what is allowed,
    for an unknown profile or key and for an impossible value.
    """
    path = Path(name).expanduser()
    if path.suffix != SUFFIX and os.sep not in name:
        found = {path.stem: path for folder in reversed(FOLDERS) for path in folder.expanduser().glob(f"*{SUFFIX}")}
        if name not in found:
            raise unknown("profile", name, found)
        path = found[name]
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is no TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read the profile {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return Profile(**content)
    except SpecError as error:
        raise SpecError(f"{path}: {str(error).removeprefix('Profile: ')}") from None
    except ValidationError as error:
        raise SpecError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from None
