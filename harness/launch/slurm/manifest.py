"""Manifests: the arrays and job ids of a submission, one file per submission.

A manifest is written before the call of `sbatch`, so that a job can be found by name even if the process died before
recording the job id. Manifests are the only mapping from runs to jobs.
"""

import re
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
from harness.store.names import named
from harness.store.records import Record
from harness.store.results import Results

FOLDER = "submissions"
ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
WATCHDOG = "harness.launch.slurm.watchdog"
"""The module of a follow-up job, which takes the results directory and the id of the submission."""
OUT_OF_MEMORY, STALLED = "ran out of memory", "was evicted before it made progress"
"""Log messages of a batch script whose step SLURM killed for memory, or whose worker was evicted without progress.
`queue.look` searches the log for them."""


class Task(Record):
    """One array task: concurrent `runs`, the shared `features` of runs, or a `rehearsal` of a run."""

    kind: Literal["runs", "features", "rehearsal"] = "runs"
    runs: tuple[str, ...]


class RunProgress(Record):
    """The durable progress of a run: step of the newest checkpoint, sample shards, and finished evaluations."""

    step: int = 0
    shards: int = 0
    evaluations: int = 0


class Array(Record):
    """Tasks with equal resources, submitted as one array. They start after the arrays of earlier stages.

    `job_id` is None until `sbatch` returns; `refused` is its message if it rejected the array.
    """

    name: str
    stage: int = 0
    resources: Resources
    tasks: tuple[Task, ...]
    job_id: str | None = None
    refused: str | None = None


class Code(Record):
    """The snapshot of a submission: archive, hash, and commit of the code."""

    archive: str
    sha256: str
    commit: str | None
    dirty: bool | None


class Submission(Record):
    """A manifest.

    `attempt` is the position in a chain of follow-ups, `parent` the previous submission. `waiting` are runs beyond the
    submit limit, left to the follow-up job, which runs the module `watchdog`. `marks` is the progress of each run at
    submission.
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
    watchdog: str = WATCHDOG
    follow_up: str | None = None
    """The job id of the follow-up job."""

    def with_array(self, changed: Array) -> Self:
        """Return the manifest with the array of the same name replaced."""
        arrays = tuple(changed if array.name == changed.name else array for array in self.arrays)
        return self.model_copy(update={"arrays": arrays})


class SubmittedTask(NamedTuple):
    """The array task of a run in a submission."""

    submission: Submission
    array: Array
    task: int

    @property
    def job(self) -> str | None:
        """The job id as SLURM prints it, `123_4`, None until `sbatch` returns."""
        return f"{self.array.job_id}_{self.task}" if self.array.job_id else None


def new_id(now: datetime | None = None) -> str:
    """Return a new id that sorts by time."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def folder_of(results: Results, id: str) -> Path:
    """Return the folder of a submission."""
    return results.root / FOLDER / id


def manifest_path(results: Results, id: str) -> Path:
    """Return the path of a submission's manifest."""
    return folder_of(results, id) / "manifest.json"


def log_path(results: Results, id: str) -> Path:
    """Return the path of the log to which all tasks of a submission append."""
    return folder_of(results, id) / "slurm.log"


def last_log_line(results: Results, id: str, job: str) -> str:
    """Return the last line about an array task (`123_4`) in a submission's log, "" if there is none."""
    try:
        with open(log_path(results, id), encoding="utf-8", errors="replace") as log:
            return next(iter(deque((line for line in log if f" job {job} on " in line), maxlen=1)), "")
    except OSError:
        return ""


def save(results: Results, submission: Submission) -> None:
    """Write the manifest."""
    submission.save(manifest_path(results, submission.id))


def submissions(results: Results) -> Iterator[Submission]:
    """Yield every readable manifest, oldest first; manifests of other code versions are skipped."""
    for folder in named(results.root / FOLDER, ID):
        try:
            yield Submission.load(folder / "manifest.json")
        except (StoreError, FileNotFoundError):
            continue


def entries(results: Results) -> dict[str, list[SubmittedTask]]:
    """Return the submitted tasks of each run by run id, oldest first, without refused arrays."""
    found: dict[str, list[SubmittedTask]] = {}
    for submission in submissions(results):
        for array in submission.arrays:
            if array.refused is not None:
                continue
            for index, task in enumerate(array.tasks):
                for run in task.runs if task.kind == "runs" else ():
                    found.setdefault(run, []).append(SubmittedTask(submission, array, index))
    return found
