"""Profiles: the resources to request from a cluster, read from a TOML file."""

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PlainSerializer, PositiveInt, ValidationError, model_validator

from harness import environment
from harness.config.base import Config
from harness.config.run import Run
from harness.errors import SpecError, given, unknown
from harness.natural import natural
from harness.regular_files import read_regular

HERE, BELOW_HOME = Path("slurm/profiles"), Path(".config/harness/slurm")
SUFFIX = ".toml"
LONGEST = 600
"""The characters of a message, which may quote a value."""
RESERVED = frozenset(
    {"array", "cluster", "clusters", "dependency", "job-name", "open-mode", "output", "parsable", "quiet", "test-only"}
    | {"wait", "wrap"}
)
"""Options of sbatch by which the harness finds its jobs, their order and their log."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
MAX_GPUS = 9999
MEGABYTES = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


def minutes(value: Any) -> int:
    """Return a time limit in minutes, rounded up: `90`, `12:00:00`, `2-12`, or `2-00:00:00` as SLURM reads them.

    Raises `ValueError` for other forms, and for 0, by which SLURM means no limit.
    """
    match = re.fullmatch(r"(?:(\d{1,9})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", str(value).strip(), re.ASCII)
    if match is None:
        raise ValueError("write minutes, HH:MM:SS or D-HH:MM:SS")
    days, first, second, third = (int(part) if part else 0 for part in match.groups())
    if match[1]:
        seconds = ((24 * days + first) * 60 + second) * 60 + third
    elif match[4]:
        seconds = (60 * first + second) * 60 + third
    else:
        seconds = 60 * first + second
    if not seconds:
        raise ValueError("0 is no limit, and jobs need one: write minutes, HH:MM:SS or D-HH:MM:SS")
    return math.ceil(seconds / 60)


def megabytes(value: Any) -> int:
    """Return a size in megabytes, rounded up: `64G`, `4000M`, or `4000` as SLURM reads them.

    Raises `ValueError` for other forms, and for 0, by which SLURM means all memory of a node.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)([KMGT]?)B?", str(value).strip().upper(), re.ASCII)
    if match is None:
        raise ValueError("write a size such as 64G or 4000M")
    size = math.ceil(float(match[1]) * MEGABYTES[match[2] or "M"])
    if not size:
        raise ValueError(
            "write a size above 0; for all memory of a node, leave it out and put 'mem = 0' under [sbatch]"
        )
    return size


def gpu_request(value: Any) -> str | int:
    """Return GPUs per node as sbatch takes them: a number, a type, or both, as in `a100:4`.

    Raises `ValueError` for anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_GPUS:
        return value
    if isinstance(value, str) and re.fullmatch(r"([A-Za-z][\w.-]*:)?\d{1,4}|[A-Za-z][\w.-]*", value, re.ASCII):
        return value
    raise ValueError("write a number such as 4, or a type and a number such as a100:4")


Gpus = Annotated[str | int, BeforeValidator(gpu_request)]
Minutes = Annotated[int, BeforeValidator(minutes)]
Megabytes = Annotated[int, BeforeValidator(megabytes), PlainSerializer(lambda size: f"{size}M", when_used="json")]


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


def load_profile(name: str) -> Profile:
    """Load a profile by name or path.

    Names are searched in `slurm/profiles/` and `~/.config/harness/slurm/`. Raises `SpecError`, naming the allowed
    values, for an unknown profile or key and for an invalid value.
    """
    path = _path_of(name)
    content = _read(path)
    try:
        profile = Profile(**content)
        _check_submission(profile)
        return profile
    except SpecError as error:
        raise SpecError(f"{path}: {shorten(str(error).removeprefix('Profile: '), LONGEST)}") from None
    except ValidationError as error:
        raise SpecError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from None


def _check_submission(profile: Profile) -> None:
    """Raise `SpecError` for what would hide jobs from the harness or leave no room for them.

    Not checked by `Profile` itself, so that manifests of earlier submissions stay readable.
    """
    for table, options in (("sbatch", profile.sbatch), ("follow_up.sbatch", profile.follow_up.sbatch)):
        for name in options:
            if name.replace("_", "-") in RESERVED:
                raise SpecError(f"[{table}] {name}: the harness finds its jobs and logs by this option; leave it out")
    if profile.max_submit == 1 and profile.follow_up.enabled:
        raise SpecError("max_submit = 1 is the follow-up job alone: raise it, or set enabled = false in [follow_up]")


def lasting_name(name: str) -> str:
    """Return a name or path of a profile that means the same from any folder."""
    return str(_expanded(name).absolute()) if _is_path(name) else name


def _path_of(name: str) -> Path:
    """Return the path of a profile by name or path.

    Raises `SpecError`, naming the known profiles, for an unknown name.
    """
    if _is_path(name):
        return _expanded(name)
    found = {path.stem: path for folder in _folders() for path in folder.glob(f"*{SUFFIX}")}
    if name not in found:
        raise unknown("profile", name, found)
    return found[name]


def _is_path(name: str) -> bool:
    return Path(name).suffix == SUFFIX or os.sep in name


def _expanded(name: str) -> Path:
    return environment.expand(name, "--profile")


def _folders() -> list[Path]:
    """Return the folders of profiles, the ones that count more last."""
    home = environment.home()
    return [*([home / BELOW_HOME] if home else []), HERE]


def _check_values(content: Mapping[str, Any]) -> None:
    """Raise `ValueError` for numbers beyond TOML's 64 bits, and for control characters in the options of a script."""
    if any(isinstance(leaf, int) and abs(leaf) >= 2**63 for leaf in _leaves(content)):
        raise ValueError("a number is larger than 64 bits")
    options = {name: value for name, value in content.items() if name != "setup"}  # which has lines of shell
    for leaf in _leaves(options):
        if isinstance(leaf, str) and CONTROL.search(leaf):
            raise ValueError(f"{given(leaf)} has a control character")


def _leaves(value: Any) -> Iterator[Any]:
    """Yield all names and simple values in a value."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield name
            yield from _leaves(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _leaves(entry)
    else:
        yield value


def _read(path: Path) -> dict[str, Any]:
    """Read a TOML document.

    Raises `SpecError` if it cannot be read.
    """
    try:
        content = tomllib.loads(read_regular(path).decode("utf-8-sig"))
        _check_values(content)
        return content
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not valid TOML: it is not UTF-8 text") from None
    except RecursionError:
        raise SpecError(f"{path}: its values are nested too deeply") from None
    except ValueError as error:  # also from int, for thousands of digits, with advice for programmers
        raise SpecError(f"{path}: {str(error).partition('; use sys.')[0]}") from None
    except OSError as error:
        raise SpecError(f"cannot read the profile {path}: {error.strerror or error}") from None
