"""Arrange runs in job arrays: grouped by resources, packed, split by the maximum array size, features first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.config.dataset import Dataset
from harness.config.evaluations import Evaluation
from harness.config.feature_spaces import Embedding
from harness.config.run import Run
from harness.launch.slurm.manifest import Array, Task
from harness.launch.slurm.profile import Profile, Resources
from harness.natural import natural
from harness.store.code import cache_of

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """A run to submit, with its resources and missing evaluations."""

    run: Run
    resources: Resources
    missing: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Arrangement:
    """The arrays to submit now, in order, and the runs that exceed the submit limit."""

    arrays: tuple[Array, ...]
    waiting: tuple[str, ...]


def arrange(
    wanted: Sequence[Wanted], profile: Profile, cache: Path, name: str, array_size: int, room: int | None
) -> Arrangement:
    """Return the arrays of these runs, named `name-0`, `name-1`, ...

    Runs keep their order, the most expensive first. `array_size` is the maximum array size, `room` the number of tasks
    that can still be queued, None for no limit.
    """
    drafts: list[tuple[int, Resources, tuple[Task, ...]]] = []
    waiting: list[str] = []
    makers = [Task(kind="features", runs=(maker.run.id,)) for maker in _feature_runs(wanted, cache)]
    stages: list[tuple[int, Resources, list[Task]]] = []
    if makers:
        stages.append((0, profile.resources().but(nodes=1, tasks_per_node=1), makers))
    stages += [(int(bool(makers)), resources, tasks) for resources, tasks in _packed(wanted, profile)]
    left = room
    for stage, resources, tasks in stages:
        taken = tasks if left is None else tasks[: max(left, 0)]
        left = None if left is None else left - len(taken)
        waiting += [run for task in tasks[len(taken) :] if task.kind == "runs" for run in task.runs]
        drafts += [(stage, resources, chunk) for chunk in _chunks(taken, array_size)]
    arrays = [
        Array(name=f"{name}-{number}", stage=stage, resources=resources, tasks=tasks)
        for number, (stage, resources, tasks) in enumerate(drafts)
    ]
    return Arrangement(tuple(arrays), tuple(waiting))


def _packed(wanted: Sequence[Wanted], profile: Profile) -> Iterator[tuple[Resources, list[Task]]]:
    groups: dict[str, tuple[Resources, list[str]]] = {}
    for entry in wanted:
        groups.setdefault(entry.resources.digest, (entry.resources, []))[1].append(entry.run.id)
    for resources, runs in groups.values():
        yield resources, [Task(runs=part) for part in _chunks(runs, profile.packed)]


def _chunks(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    return (tuple(items[start : start + size]) for start in range(0, len(items), size))


@dataclass(frozen=True)
class _Space:
    """A dataset and a feature space; features of equal pairs are computed once."""

    data: Dataset
    embedding: Embedding


def _feature_runs(wanted: Sequence[Wanted], cache: Path) -> list[Wanted]:
    """Return runs, chosen greedily, that compute all features that several runs share and the cache lacks."""
    users: dict[_Space, list[Wanted]] = {}
    for entry in wanted:
        for space in _spaces(entry):
            users.setdefault(space, []).append(entry)
    left = {space for space, entries in users.items() if len(entries) > 1 and not _is_cached(space, cache)}
    makers = []
    for entry in wanted:
        if made := left & _spaces(entry):
            makers.append(entry)
            left -= made
    return makers


def _spaces(entry: Wanted) -> set[_Space]:
    """Return the feature spaces that a run needs."""
    found = (evaluation.embedding for evaluation in entry.missing)
    return {_Space(entry.run.config.data, embedding) for embedding in found if embedding is not None}


def _is_cached(space: _Space, cache: Path) -> bool:
    """Return whether the cache holds features of a reference split, for any revision of the data."""
    folders = space.embedding.space.folders(space.data, space.embedding.weights)
    cache = cache_of(space.embedding.space, cache)
    return bool(folders) and any((cache / "features").glob(f"{folders}/{space.embedding.reference}-features.npy"))


def shapes(arrays: Iterable[Array], parallelism: int | None) -> list[str]:
    """Describe each array in one line."""
    return [_shape(array, parallelism) for array in arrays]


def _shape(array: Array, parallelism: int | None) -> str:
    given = array.resources
    runs = sum(len(task.runs) for task in array.tasks)
    what = f"{len(array.tasks)} of features" if array.tasks[0].kind == "features" else f"{runs} runs"
    each = [f"{given.nodes} node{'s' * (given.nodes > 1)}", f"{given.tasks_per_node} x {given.cpus_per_task} CPUs"]
    each += [f"{given.gpus_per_node} GPUs a node"] if given.gpus else []
    each += [f"{given.memory} MB"] if given.memory else []
    limit = f", {parallelism} at a time" if parallelism and parallelism < len(array.tasks) else ""
    place = f" in partition {given.partition}" if given.partition else ""
    after = ", after the features" if array.stage else ""
    return f"array of {len(array.tasks)} tasks for {what}{limit}: {', '.join(each)}, {given.time} min{place}{after}"


def largest_array(profile: Profile, configuration: Mapping[str, str]) -> int:
    """Return the maximum array size of the profile, else of the cluster, else SLURM's default."""
    of_cluster = natural(configuration.get("MaxArraySize", ""))
    return profile.max_array_size or (1001 if of_cluster is None else max(of_cluster, 1))
