"""Rehearsals as SLURM jobs: each run in miniature on its real resources, for minutes instead of hours.

Nothing is requeued or resubmitted, since the purpose of a rehearsal is to find failures.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from harness.errors import HarnessError
from harness.launch.plan import PlannedRun
from harness.launch.slurm.arrange import Arrangement, Wanted, arrange, largest_array
from harness.launch.slurm.array_jobs import batch_of, submit_arrays
from harness.launch.slurm.batch import Refused
from harness.launch.slurm.manifest import Array, Submission, Task, log_path, new_id
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.queue import complete
from harness.launch.slurm.scheduler import ALIVE, Job, JobState, Scheduler, call
from harness.launch.slurm.submit import Request, locked, write_intent
from harness.launch.slurm.units import minutes
from harness.store.rehearsals import Problem
from harness.store.results import Results
from harness.store.run_directory import RunState

MINUTES = 30
"""The time limit of a rehearsal, unless the profile's is shorter."""
SETTLE_SECONDS = 30.0
"""How long a record may take to become visible after its job, since network file systems cache missing files."""
HOPELESS = (
    "AccountNotAllowed", "BadConstraints", "InvalidAccount", "InvalidQOS", "PartitionDown", "PartitionInactive",
    "PartitionNodeLimit", "PartitionTimeLimit", "QOSNotAllowed",
)  # fmt: skip
"""Pending reasons that never resolve without intervention."""
FIXES: Mapping[JobState, str] = {
    JobState.OUT_OF_MEMORY: "raise 'memory' in the profile",
    JobState.TIMEOUT: "raise 'time' in the profile, or run less at a time",
}


@dataclass
class RehearsalJobs:
    """The rehearsal jobs by run id; problems of runs `without` a job, and of runs whose own arrays are `unfit`."""

    submission: Submission
    jobs: dict[str, str] = field(default_factory=dict)
    without: dict[str, Problem] = field(default_factory=dict)
    unfit: dict[str, Problem] = field(default_factory=dict)


def submit_rehearsals(request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler) -> RehearsalJobs:
    """Queue a rehearsal of every run, with that run's resources.

    The arrays of the runs themselves are also validated with `sbatch --test-only`. Raises `HarnessError` if the
    scheduler does not answer.
    """
    with locked(request.results):
        if not scheduler.responds():
            raise HarnessError("the scheduler does not answer ('squeue' fails): nothing was submitted; run again later")
        complete(request.results, scheduler)
        id = new_id()
        short = replace(request, profile=_short(request.profile))
        arranged = _arrange(short, planned, scheduler, id)
        for entry in planned:
            entry.request()
        submission = submit_arrays(request.results, write_intent(short, arranged, planned, id), request.parallelism)
        found = RehearsalJobs(submission)
        for array in submission.arrays:
            _record_jobs(found, array, request.profile_name)
        for run in arranged.waiting:
            what = f"the submit limit is {request.profile.max_submit} tasks at a time"
            found.without[run] = Problem(part="queue", what=what, mend="rehearse fewer runs at a time (--rows)")
        _check_with_sbatch(found, request, planned, scheduler)
    return found


def await_records(
    results: Results,
    found: RehearsalJobs,
    planned: Sequence[PlannedRun],
    scheduler: Scheduler,
    show: Callable[[Mapping[str, Job]], None],
    seconds: float,
) -> dict[str, Problem]:
    """Wait until every rehearsal has a record or its job has ended; return the problems of those without a record.

    Jobs that would wait forever are cancelled. `show` is called with the job states at every poll.
    """
    problems, ended = dict(found.without), dict[str, float]()
    while True:
        left = [p for p in planned if p.run.id in found.jobs and p.state not in (RunState.DONE, RunState.FAILED)]
        jobs = scheduler.jobs({found.jobs[p.run.id] for p in left})
        now = time.monotonic()
        for entry in left:
            job = jobs[found.jobs[entry.run.id]]
            if job.state is JobState.QUEUED and job.reason in HOPELESS:
                problems.setdefault(entry.run.id, _hopeless(job, found))
                _cancel([job.id])
            elif job.state in ALIVE | {JobState.SILENT}:
                ended.pop(entry.run.id, None)
            elif now - ended.setdefault(entry.run.id, now) > SETTLE_SECONDS:
                problems.setdefault(entry.run.id, _without_record(results, job, found))
        if all(entry.run.id in problems for entry in left):
            return found.unfit | problems
        show(jobs)
        time.sleep(seconds)


def _short(profile: Profile) -> Profile:
    """Return the profile for rehearsals: the same resources with a short time limit and no retries."""
    return profile.but(
        time=min(profile.time, MINUTES),
        override=tuple(entry.but(time=None) for entry in profile.override),
        requeue=False,
        follow_up=profile.follow_up.but(enabled=False),
    )


def _arrange(request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler, id: str) -> Arrangement:
    """Return arrays with one run per task and no stage for shared features, which are small in a rehearsal."""
    profile = request.profile.but(runs_per_task=1, runs_per_gpu=1)
    wanted = [Wanted(entry.run, profile.resources_for(entry.run), ()) for entry in planned]
    room = profile.max_submit - scheduler.queued() if profile.max_submit else None
    largest = largest_array(profile, {} if profile.max_array_size else scheduler.configuration())
    arranged = arrange(wanted, profile, request.results.cache, f"harness-{id}", largest, room)
    arrays = [
        array.model_copy(update={"tasks": tuple(Task(kind="rehearsal", runs=task.runs) for task in array.tasks)})
        for array in arranged.arrays
    ]
    return Arrangement(tuple(arrays), arranged.waiting)


def _record_jobs(found: RehearsalJobs, array: Array, profile: str) -> None:
    for index, task in enumerate(array.tasks):
        for run in task.runs:
            if array.job_id is not None:
                found.jobs[run] = f"{array.job_id}_{index}"
            else:
                found.without[run] = _refused(str(array.refused), profile)


def _check_with_sbatch(
    found: RehearsalJobs, request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler
) -> None:
    """Check whether the cluster would accept the arrays of the runs themselves, with their own time limits."""
    limits = scheduler.time_limits()
    for array in _arrange(request, planned, scheduler, f"{found.submission.id}-check").arrays:
        executor, command = batch_of(request.results, found.submission, array, request.parallelism)
        problem = _too_long(array, limits, request.profile_name)
        try:
            executor.check_script(array.name, command)
        except Refused as refusal:
            problem = _refused(str(refusal), request.profile_name)
        if problem is not None:
            found.unfit |= {run: problem for task in array.tasks for run in task.runs}


def _too_long(array: Array, limits: Mapping[str, str], profile: str) -> Problem | None:
    """Check the time limit of an array, as most clusters let jobs above the maximum wait forever."""
    names = (array.resources.partition or os.environ.get("SBATCH_PARTITION", "")).split(",")
    allowed = [limits[name] for name in names if name in limits]
    if not allowed or any(text == "UNLIMITED" or minutes(text) >= array.resources.time for text in allowed):
        return None
    what = f"partition {','.join(names) or 'by default'} allows {', '.join(allowed)}, not {array.resources.time} min"
    return Problem(part="partition", what=what, mend=f"change the profile {profile}")


def _refused(answer: str, profile: str) -> Problem:
    return Problem(part="sbatch", what=answer, mend=f"change the profile {profile}")


def _hopeless(job: Job, found: RehearsalJobs) -> Problem:
    what = f"job {job.id} would wait forever: {job.reason}"
    return Problem(part="queue", what=what, mend=f"change the profile {found.submission.profile_name}")


def _without_record(results: Results, job: Job, found: RehearsalJobs) -> Problem:
    said = f" ({job.reason})" if job.reason and job.reason.lower() != job.state else ""
    log = log_path(results, found.submission.id)
    mend = FIXES.get(job.state, f"see {log}" if log.exists() else f"scontrol show job {job.id}  # it left no log")
    return Problem(part="job", what=f"job {job.id} left no record: {job.state}{said}", mend=mend)


def _cancel(jobs: Iterable[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        call(["scancel", *jobs])
