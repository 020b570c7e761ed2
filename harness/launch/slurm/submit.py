"""Submits runs: decides under a lock which to queue, writes the manifest, then calls `sbatch`.

The lock covers decision and submission, and every manifest is on disk before its first `sbatch`, so neither concurrent
commands nor a crash can queue a run twice.
"""

import os
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
from harness.launch.slurm.batch import (
    BatchExecutor,
    Refused,
    array_executor,
    follow_up_executor,
    plain_command,
    worker_command,
)
from harness.launch.slurm.manifest import (
    FOLDER,
    ID,
    Array,
    Code,
    Submission,
    folder_of,
    log_path,
    manifest_path,
    new_id,
    save,
)
from harness.launch.slurm.policy import Action, Resubmission, decide_resubmission, progress_of
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.queue import complete, look
from harness.launch.slurm.scheduler import Scheduler
from harness.launch.slurm.variables import unused
from harness.store.files import remove_folder, writing
from harness.store.names import named
from harness.store.results import Results
from harness.store.run_directory import RunState

CODE = "code.zip"
TEMPORARY = ("submit limit", "submitjob", "maxsubmit", "temporarily", "job queue", "too many")
"""Words in messages of `sbatch` when the queue is full; the follow-up job retries."""


@dataclass(frozen=True)
class Request:
    """A request to submit runs, from a user or a follow-up job.

    For a follow-up job, `chain` names the previous submissions and `code` is their snapshot.
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


def unused_by(results: Results, submission: Submission) -> tuple[str, ...]:
    """Return a sentence for every variable of sbatch that a submission overrides."""
    scripts = (folder_of(results, submission.id) / f"{array.name}.sbatch" for array in submission.arrays)
    texts = [script.read_text(encoding="utf-8") for script in scripts if script.exists()]
    return tuple(dict.fromkeys(sentence for text in texts for sentence in unused(os.environ, text)))


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
        marks={planned.run.id: progress_of(planned.directory) for planned in chosen},
    )
    save(request.results, submission)
    return submission


def submit_arrays(results: Results, submission: Submission, parallelism: int | None) -> Submission:
    """Submit the arrays of a manifest and record the result of each."""
    full = False
    for array in submission.arrays:
        refused: str | None = "the queue is full" if full else None
        job_id: str | None = None
        if not full:
            try:
                job_id = _submit_array(results, submission, array, parallelism)
            except Refused as refusal:
                refused = str(refusal)
        full = full or (refused is not None and any(word in refused.lower() for word in TEMPORARY))
        submission = submission.with_array(array.model_copy(update={"job_id": job_id, "refused": refused}))
        if full:
            runs = tuple(run for task in array.tasks if task.kind == "runs" for run in task.runs)
            submission = submission.model_copy(update={"waiting": (*submission.waiting, *runs)})
        save(results, submission)
    if submission.profile.follow_up.enabled and any(array.job_id for array in submission.arrays):
        submission = _submit_follow_up(results, submission)
        save(results, submission)
    return submission


def _submit_array(results: Results, submission: Submission, array: Array, parallelism: int | None) -> str:
    executor, command = batch_of(results, submission, array, parallelism)
    return executor.submit_script(array.name, command)


def batch_of(
    results: Results, submission: Submission, array: Array, parallelism: int | None
) -> tuple[BatchExecutor, str]:
    """Return the executor of an array and the command of its script."""
    earlier = [other.job_id for other in submission.arrays if other.stage < array.stage and other.job_id]
    folder, profile = folder_of(results, submission.id).absolute(), submission.profile
    executor = array_executor(
        folder,
        profile,
        array.resources,
        array.name,
        len(array.tasks),
        parallelism or profile.array_parallelism,
        f"afterany:{':'.join(earlier)}" if earlier else "",
    )
    arguments = ["--results", str(results.root.absolute()), "--data", submission.data, "worker-task"]
    arguments += ["--manifest", str(manifest_path(results, submission.id).absolute()), "--array", array.name]
    srun = [f"--cpus-per-task={array.resources.cpus_per_task}", *profile.srun]
    return executor, worker_command(profile.python, Path(submission.code.archive), srun, arguments)


def _submit_follow_up(results: Results, submission: Submission) -> Submission:
    """Queue the follow-up job, which runs after the arrays; the arrays stay queued if it is refused."""
    after = f"afterany:{':'.join(array.job_id for array in submission.arrays if array.job_id)}"
    name, folder = f"harness-{submission.id}-follow-up", folder_of(results, submission.id).absolute()
    module = "harness.launch.slurm.watchdog"
    arguments = [str(results.root.absolute()), submission.id]
    command = plain_command(submission.profile.python, Path(submission.code.archive), module, arguments)
    try:
        job_id = follow_up_executor(folder, submission.profile, name, after).submit_script("follow-up", command)
    except Refused as refusal:
        with open(log_path(results, submission.id), "a", encoding="utf-8") as log:
            log.write(f"no follow-up job: {refusal}\n")
        return submission
    return submission.model_copy(update={"follow_up": job_id})
