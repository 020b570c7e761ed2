"""Rehearsals as jobs: each run in miniature on the resources that it will have, for minutes instead of its hours.

Nothing is put back or submitted again: what goes wrong is what a rehearsal is to find.
"""

import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.errors import HarnessError
from harness.launch.plan import PlannedRun
from harness.launch.slurm.arrange import Arrangement, Wanted, arrange, largest_array
from harness.launch.slurm.batch import Refused
from harness.launch.slurm.manifest import Array, Submission, Task, log_path, new_id
from harness.launch.slurm.profile import Profile, minutes
from harness.launch.slurm.queue import complete
from harness.launch.slurm.scheduler import ALIVE, COMMAND_SECONDS, Job, JobState, Scheduler
from harness.launch.slurm.submit import Request, batch_of, locked, submit_arrays, write_intent
from harness.store.rehearsals import Problem
from harness.store.results import Results
from harness.store.run_directory import RunState

MINUTES = 30
"""The time limit of a rehearsal, where the profile's is not shorter."""
SETTLE_SECONDS = 30.0
"""How long a record may take to be seen after its job has ended: network file systems remember what was not there."""
HOPELESS = (
    "AccountNotAllowed", "BadConstraints", "InvalidAccount", "InvalidQOS", "PartitionDown", "PartitionInactive",
    "PartitionNodeLimit", "PartitionTimeLimit", "QOSNotAllowed",
)  # fmt: skip
"""Reasons for which a job stands in the queue until somebody changes it."""
MENDS: Mapping[JobState, str] = {
    JobState.OUT_OF_MEMORY: "more 'memory' in the profile",
    JobState.TIMEOUT: "a longer 'time' in the profile, or less work at a time",
}


@dataclass
class RehearsalJobs:
    """The jobs of rehearsals by run, why those `without` one have none, and what is `unfit` for the run itself."""

    submission: Submission
    jobs: dict[str, str] = field(default_factory=dict)
    without: dict[str, Problem] = field(default_factory=dict)
    unfit: dict[str, Problem] = field(default_factory=dict)


def submit_rehearsals(request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler) -> RehearsalJobs:
    """Queue a rehearsal of every run, on the resources that it will have.

    The arrays of the runs themselves are shown to the cluster too, so that it can refuse what only they ask for.
    Raises `HarnessError` when the scheduler does not answer.
    """
    with locked(request.results):
        if not scheduler.responds():
            raise HarnessError("the scheduler does not answer ('squeue' fails): nothing was submitted; run again later")
        complete(request.results, scheduler)
        id = new_id()
        arranged = _arrange(replace(request, profile=_short(request.profile)), planned, scheduler, id)
        for entry in planned:
            entry.ask()
        short = replace(request, profile=_short(request.profile))
        submission = submit_arrays(request.results, write_intent(short, arranged, planned, id), request.parallelism)
        found = RehearsalJobs(submission)
        for array in submission.arrays:
            _note(found, array, request.profile_name)
        for run in arranged.waiting:
            what = f"the queue takes no more than {request.profile.max_submit} tasks at a time"
            found.without[run] = Problem(part="queue", what=what, mend="rehearse fewer runs at a time (--rows)")
        _show_to_cluster(found, request, planned, scheduler)
    return found


def await_records(
    results: Results,
    found: RehearsalJobs,
    planned: Sequence[PlannedRun],
    scheduler: Scheduler,
    show: Callable[[Mapping[str, Job]], None],
    seconds: float,
) -> dict[str, Problem]:
    """Wait until every rehearsal has a record or no job any more, and say by run why those have no record.

    Jobs that would wait forever are taken out of the queue. `show` is given what the scheduler says, every so often.
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
    """Return the profile with which rehearsals are submitted: the same resources for minutes, and no second try."""
    return profile.but(
        time=min(profile.time, MINUTES),
        override=tuple(entry.but(time=None) for entry in profile.override),
        requeue=False,
        follow_up=profile.follow_up.but(enabled=False),
    )


def _arrange(request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler, id: str) -> Arrangement:
    """Return arrays of one run a task; what runs share they make for themselves, as there is little of it."""
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


def _note(found: RehearsalJobs, array: Array, profile: str) -> None:
    for index, task in enumerate(array.tasks):
        for run in task.runs:
            if array.job_id is not None:
                found.jobs[run] = f"{array.job_id}_{index}"
            else:
                found.without[run] = _refused(str(array.refused), profile)


def _show_to_cluster(
    found: RehearsalJobs, request: Request, planned: Sequence[PlannedRun], scheduler: Scheduler
) -> None:
    """Ask whether the cluster would take the arrays of the runs themselves, with their time limits."""
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
    """Return what is wrong with the time of an array: most clusters let it wait forever instead of refusing it."""
    names = (array.resources.partition or "").split(",")
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
    mend = MENDS.get(job.state, f"see {log_path(results, found.submission.id)}")
    return Problem(part="job", what=f"job {job.id} left no record: {job.state}{said}", mend=mend)


def _cancel(jobs: Iterable[str]) -> None:
    subprocess.run(["scancel", *jobs], capture_output=True, timeout=COMMAND_SECONDS)
