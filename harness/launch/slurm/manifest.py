"""Manifests: what a submission put into the queue, and under which job ids. One file a submission says it all.

A manifest is written before `sbatch` is called, so that a job can be found by its name even where the process died
before it could note the job's id. Which job a run belongs to is read here and nowhere else.
"""

import secrets
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field

from harness.config.execution import Execution
from harness.launch.slurm.profile import Profile, Resources
from harness.store.files import StoreError
from harness.store.records import Record
from harness.store.results import Results

FOLDER = "submissions"
OUT_OF_MEMORY, STALLED = "ran out of memory", "was asked to leave before it got on"
"""What a batch script writes into the log where SLURM has ended its step for the memory that it took, and where the
worker was evicted without having advanced."""


class Task(Record):
    """What one array task does: `runs`, side by side; the `features` that these will share; or a rehearsal of one."""

    kind: Literal["runs", "features", "rehearsal"] = "runs"
    runs: tuple[str, ...]


class RunProgress(Record):
    """How far a run had come when it was submitted: the step of its newest checkpoint, what was drawn and measured."""

    step: int = 0
    shards: int = 0
    evaluations: int = 0


class Array(Record):
    """Tasks with equal resources that were submitted together; they begin after the arrays of an earlier `stage`.

    `job_id` is None before `sbatch` has answered; `refused` holds its answer where it would not.
    """

    name: str
    stage: int = 0
    resources: Resources
    tasks: tuple[Task, ...]
    job_id: str | None = None
    refused: str | None = None


class Code(Record):
    """The snapshot that a submission runs from: the archive, its hash, and the commit that it was taken of."""

    archive: str
    sha256: str
    commit: str | None
    dirty: bool | None


class Submission(Record):
    """A manifest.

    `attempt` counts the submissions of a chain of follow-ups, of which `parent` is the one before. `waiting` are runs
    beyond what the cluster takes at a time: the follow-up job submits them. `marks` says how far each run had come.
    """

    version: Literal[1] = 1
    id: str
    created: datetime
    user: str
    selection: dict[str, Any] = Field(default_factory=dict)
    profile_name: str
    profile: Profile
    execution: Execution
    data: str
    code: Code
    attempt: int = 0
    parent: str | None = None
    arrays: tuple[Array, ...] = ()
    waiting: tuple[str, ...] = ()
    marks: dict[str, RunProgress] = Field(default_factory=dict)
    follow_up: str | None = None
    """The job id of the follow-up job."""

    def with_array(self, changed: Array) -> Self:
        """Return the manifest with one array replaced by that of the same name."""
        arrays = tuple(changed if array.name == changed.name else array for array in self.arrays)
        return self.model_copy(update={"arrays": arrays})


class Entry(NamedTuple):
    """Where a run stands in a submission."""

    submission: Submission
    array: Array
    task: int

    @property
    def job(self) -> str | None:
        """The job id as SLURM prints it, `123_4`; None before `sbatch` has answered."""
        return f"{self.array.job_id}_{self.task}" if self.array.job_id else None


def new_id(now: datetime | None = None) -> str:
    """Return an identity that sorts by time."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def folder_of(results: Results, id: str) -> Path:
    """Return the folder of a submission."""
    return results.root / FOLDER / id


def manifest_path(results: Results, id: str) -> Path:
    """Return the manifest of a submission."""
    return folder_of(results, id) / "manifest.json"


def log_path(results: Results, id: str) -> Path:
    """Return the log to which all tasks of a submission append."""
    return folder_of(results, id) / "slurm.log"


def last_words(results: Results, id: str, job: str) -> str:
    """Return what the batch script wrote last into the log of a submission of an array task, `123_4`."""
    try:
        with open(log_path(results, id), encoding="utf-8", errors="replace") as log:
            return next(iter(deque((line for line in log if f" job {job} on " in line), maxlen=1)), "")
    except OSError:
        return ""


def save(results: Results, submission: Submission) -> None:
    """Write the manifest."""
    submission.save(manifest_path(results, submission.id))


def submissions(results: Results) -> Iterator[Submission]:
    """Yield every readable manifest, oldest first; one of another version of this code is passed over."""
    for path in sorted((results.root / FOLDER).glob("*/manifest.json")):
        try:
            yield Submission.load(path)
        except (StoreError, FileNotFoundError):
            continue


def entries(results: Results) -> dict[str, list[Entry]]:
    """Return where each run stands, by its id, oldest first; a refused array does not count."""
    found: dict[str, list[Entry]] = {}
    for submission in submissions(results):
        for array in submission.arrays:
            if array.refused is not None:
                continue
            for index, task in enumerate(array.tasks):
                for run in task.runs if task.kind == "runs" else ():
                    found.setdefault(run, []).append(Entry(submission, array, index))
    return found
