"""Submits runs: decides under a lock which to queue, writes the manifest, then calls `sbatch`.

The lock covers decision and submission, and every manifest is on disk before its first `sbatch`, so neither concurrent
commands nor a crash can queue a run twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from harness.config.execution import Execution
from harness.environment import user
from harness.errors import HarnessError
from harness.launch.plan import PlannedRun
from harness.launch.slurm import snapshot
from harness.launch.slurm.arrange import Arrangement, Wanted, arrange, largest_array
from harness.launch.slurm.array_jobs import submit_arrays, unused_by
from harness.launch.slurm.manifest import (
    FOLDER,
    ID,
    WATCHDOG,
    Array,
    Code,
    Submission,
    folder_of,
    new_id,
    save,
)
from harness.launch.slurm.policy import Action, Resubmission, decide_resubmission, progress_of
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.queue import complete, look
from harness.launch.slurm.scheduler import Scheduler
from harness.store.files import remove_folder, writing
from harness.store.names import named
from harness.store.results import Results
from harness.store.run_directory import RunState

CODE = "code.zip"


@dataclass(frozen=True)
class Request:
    """A request to submit runs, from a user or a follow-up job.

    For a follow-up job, `chain` names the previous submissions and `code` is their snapshot. `watchdog` is the module
    that the follow-up job runs.
    """

    results: Results
    data: Path
    profile_name: str
    profile: Profile
    execution: Execution
    selection: dict[str, Any] = field(default_factory=dict)
    parallelism: int | None = None
    chain: tuple[str, ...] | None = None
    code: Code | None = None
    watchdog: str = WATCHDOG


@dataclass(frozen=True)
class Submitted:
    """The result of a request: the submission, if there is one, and the decision on every run.

    `unused` are sentences about variables of sbatch that the submission overrides.
    """

    submission: Submission | None
    verdicts: dict[str, Resubmission]
    unused: tuple[str, ...] = ()

    @property
    def accepted(self) -> list[Array]:
        """The arrays that are in the queue."""
        return [array for array in self.submission.arrays if array.job_id] if self.submission else []

    @property
    def refused(self) -> list[Array]:
        """The arrays that `sbatch` rejected."""
        return [array for array in self.submission.arrays if array.refused] if self.submission else []


def submit(request: Request, todo: Sequence[PlannedRun], scheduler: Scheduler) -> Submitted:
    """Submit the runs that need it, and return the decision on every run.

    Raises `HarnessError` if the scheduler does not answer, since the queue is then unknown.
    """
    with locked(request.results):
        verdicts = decide(request, todo, scheduler)
        chosen = [planned for planned in todo if verdicts[planned.run.id].action is Action.SUBMIT]
        if not chosen:
            return Submitted(None, verdicts)
        name = new_id()
        arrangement = _arrange(request, chosen, verdicts, scheduler, name)
        for planned in chosen:
            planned.request()
            planned.directory.outcome.unlink(missing_ok=True)
        submission = write_intent(request, arrangement, chosen, name)
        submission = submit_arrays(request.results, submission, request.parallelism)
        return Submitted(submission, verdicts, unused_by(request.results, submission))


def decide(request: Request, todo: Sequence[PlannedRun], scheduler: Scheduler) -> dict[str, Resubmission]:
    """Return the decision on every run.

    Raises `HarnessError` if the scheduler does not answer.
    """
    ids = [planned.run.id for planned in todo]
    if not scheduler.responds():
        raise HarnessError("the scheduler does not answer ('squeue' fails): nothing was submitted; run again later")
    complete(request.results, scheduler)
    queue = look(request.results, scheduler, ids)
    chain = None if request.chain is None else frozenset(request.chain)
    return {
        planned.run.id: decide_resubmission(
            planned.run,
            planned.state,
            progress_of(planned.directory),
            queue.entries.get(planned.run.id, []),
            queue.jobs,
            request.profile,
            chain,
        )
        for planned in todo
    }


def preview(request: Request, todo: Sequence[PlannedRun], scheduler: Scheduler) -> Arrangement:
    """Return the arrays that these runs would make now, ignoring queued jobs."""
    chosen = [planned for planned in todo if planned.state not in (RunState.DONE, RunState.RUNNING)]
    return _arrange(request, chosen, {}, scheduler, "harness")


@contextmanager
def locked(results: Results) -> Iterator[None]:
    """Hold the submission lock, so that only one process decides and submits at a time."""
    folder = results.root / FOLDER
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        _remove_unsubmitted(folder)
        yield


def _remove_unsubmitted(folder: Path) -> None:
    """Remove the code of submissions whose process was killed before it wrote the manifest.

    The caller holds the lock, so that no process is about to write one.
    """
    for submission in named(folder, ID):
        left = {path.name for path in submission.iterdir()} if submission.is_dir() else {"not a submission"}
        if all(name == CODE or name.startswith(f".{CODE}.") for name in left):
            remove_folder(submission)


def _arrange(
    request: Request, chosen: Sequence[PlannedRun], verdicts: dict[str, Resubmission], scheduler: Scheduler, id: str
) -> Arrangement:
    profile = request.profile
    wanted = [
        Wanted(
            planned.run,
            verdicts[planned.run.id].resources if verdicts else profile.resources_for(planned.run),
            tuple(planned.directory.unmeasured(planned.evaluations.values())),
        )
        for planned in chosen
    ]
    # The follow-up job counts too.
    room = profile.max_submit - scheduler.queued() - profile.follow_up.enabled if profile.max_submit else None
    largest = largest_array(profile, {} if profile.max_array_size else scheduler.configuration())
    return arrange(wanted, profile, request.results.cache, f"harness-{id}", largest, room)


def write_intent(request: Request, arrangement: Arrangement, chosen: Sequence[PlannedRun], id: str) -> Submission:
    """Write the snapshot and the manifest before anything is submitted."""
    submission = Submission(
        id=id,
        created=datetime.now(UTC),
        user=user(),
        selection=request.selection,
        profile_name=request.profile_name,
        profile=request.profile.but(array_parallelism=request.parallelism or request.profile.array_parallelism),
        execution=request.execution,
        data=str(request.data.absolute()),
        code=request.code or snapshot.take(folder_of(request.results, id).absolute() / CODE),
        attempt=len(request.chain or ()),
        parent=request.chain[-1] if request.chain else None,
        arrays=arrangement.arrays,
        waiting=arrangement.waiting,
        watchdog=request.watchdog,
        marks={planned.run.id: progress_of(planned.directory) for planned in chosen},
    )
    save(request.results, submission)
    return submission
