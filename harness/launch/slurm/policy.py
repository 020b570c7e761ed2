"""Resubmission policy: what to do with an unfinished run by the state of its job. See the table in `docs/slurm.md`.

The run directory takes precedence: done, running, cancelled or failed runs need no policy. An attempt counts against
`max_attempts` only if the run made no progress.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.config.run import Run
from harness.launch.slurm.manifest import RunProgress, SubmittedTask
from harness.launch.slurm.profile import Profile, Resources
from harness.launch.slurm.scheduler import Job, JobState
from harness.store.files import StoreError
from harness.store.names import EVALUATION, EVALUATION_RECORD, named, numbered
from harness.store.run_directory import RunDirectory, RunState


class Action(StrEnum):
    """What to do with a run now."""

    SUBMIT = "submit"
    WAIT = "wait"
    LEAVE = "leave"


@dataclass(frozen=True)
class Policy:
    """The reaction to a job state: `memory` scales the memory, `time` the time limit if the run made no progress."""

    action: Action
    says: str
    memory: float = 1.0
    time: float = 1.0


POLICIES: Mapping[JobState, Policy] = {
    JobState.QUEUED: Policy(Action.WAIT, "is queued"),
    JobState.RUNNING: Policy(Action.WAIT, "is running"),
    JobState.SILENT: Policy(Action.WAIT, "may be queued: the scheduler does not answer"),
    JobState.COMPLETED: Policy(Action.SUBMIT, "its job ended before the run was done"),
    JobState.FAILED: Policy(Action.SUBMIT, "its worker died without a record"),
    JobState.PREEMPTED: Policy(Action.SUBMIT, "was preempted and not requeued"),
    JobState.NODE_FAIL: Policy(Action.SUBMIT, "its node failed"),
    JobState.BOOT_FAIL: Policy(Action.SUBMIT, "its node did not boot"),
    JobState.TIMEOUT: Policy(Action.SUBMIT, "reached its time limit", time=2.0),
    JobState.STALLED: Policy(Action.SUBMIT, "was evicted", time=2.0),
    JobState.OUT_OF_MEMORY: Policy(Action.SUBMIT, "ran out of memory", memory=1.5),
    JobState.UNKNOWN: Policy(Action.SUBMIT, "its job is no longer known"),
    JobState.CANCELLED: Policy(Action.LEAVE, "its job was cancelled"),
    JobState.DEADLINE: Policy(Action.LEAVE, "its job passed the deadline of the profile"),
}


@dataclass(frozen=True)
class Resubmission:
    """The decision on a run: the action, its reason, and the resources for a submission."""

    action: Action
    says: str
    resources: Resources
    job: str | None = None


def progress_of(directory: RunDirectory) -> RunProgress:
    """Return the durable progress of a run."""
    steps = numbered(directory.checkpoints, after=".json", digits=9)
    try:
        trained = directory.training_record()
    except StoreError:
        trained = None
    return RunProgress(
        step=trained.iterations if trained else max(steps, default=0),
        shards=sum(len(numbered(folder, "shard-", ".npy", 6)) for folder in named(directory.evaluations, EVALUATION)),
        evaluations=len(named(directory.evaluations, EVALUATION_RECORD)),
    )


def decide_resubmission(
    run: Run,
    state: RunState,
    mark: RunProgress,
    entries: Sequence[SubmittedTask],
    jobs: Mapping[str, Job],
    profile: Profile,
    chain: frozenset[str] | None,
) -> Resubmission:
    """Return the decision on a run, given its current progress (`mark`) and its submitted tasks, oldest first.

    `chain` names the submissions that lead to a follow-up job, which limits their attempts; None if a user submits.
    """
    by_user = chain is None
    resources = profile.resources_for(run)
    last = entries[-1] if entries else None
    job = jobs.get(last.job, Job(last.job, JobState.UNKNOWN)) if last and last.job else None
    if state is RunState.DONE:
        return Resubmission(Action.LEAVE, "is done", resources)
    if state is RunState.RUNNING:
        return Resubmission(Action.WAIT, "is running", resources, last.job if last else None)
    if state is RunState.CANCELLED:
        return Resubmission(Action.LEAVE, "was cancelled: 'harness retry' starts it again", resources)
    if job is not None and job.state is JobState.QUEUED:
        return Resubmission(Action.WAIT, POLICIES[job.state].says, resources, job.id)
    if state in (RunState.FAILED, RunState.UNREADABLE):
        action = Action.SUBMIT if by_user else Action.LEAVE
        says = "failed with a recorded error" if state is RunState.FAILED else "has a damaged file"
        return Resubmission(action, says, resources, last.job if last else None)
    if last is None or job is None:
        return Resubmission(Action.SUBMIT, "was not submitted yet", resources)
    policy = POLICIES[job.state]
    if policy.action is Action.WAIT or (policy.action is Action.LEAVE and not by_user):
        return Resubmission(policy.action, policy.says, resources, job.id)
    idle_attempts = _attempts_without_progress(run.id, mark, entries, chain)
    if not by_user and idle_attempts >= profile.max_attempts:
        says = f"{policy.says}, and made no progress in {idle_attempts} attempts: 'harness retry' starts it again"
        return Resubmission(Action.LEAVE, says, resources, job.id)
    return _with_raised_limits(run, resources, last, policy, idle_attempts > 0, profile)


def _with_raised_limits(
    run: Run, resources: Resources, last: SubmittedTask, policy: Policy, idle: bool, profile: Profile
) -> Resubmission:
    """Return the decision with the resources raised by the policy, starting from earlier raises."""
    given, once = last.array.resources, last.submission.profile.resources_for(run)
    time = max(resources.time, given.time if given.time > once.time else 0)
    memory = resources.memory
    if memory is not None and given.memory is not None and once.memory is not None and given.memory > once.memory:
        memory = max(memory, given.memory)
    says = policy.says
    if policy.time > 1 and idle:
        time = max(resources.time, min(round(policy.time * given.time), profile.max_time or 10**9))
        if time <= given.time:
            return Resubmission(Action.LEAVE, f"{says} without progress, and the maximum is {time} min", resources)
        says = f"{says} without progress, and gets {time} min instead of {given.time}"
    if policy.memory > 1:
        if given.memory is None:
            return Resubmission(Action.LEAVE, f"{says}: set 'memory' in the profile", resources)
        raised = min(round(policy.memory * given.memory), profile.max_memory or 10**9)
        memory = max(memory or 0, raised)
        if memory <= given.memory:
            return Resubmission(Action.LEAVE, f"{says}, and the maximum is {memory} MB", resources)
        says = f"{says}, and gets {memory} MB instead of {given.memory}"
    return Resubmission(Action.SUBMIT, says, resources.but(time=time, memory=memory), last.job)


def _attempts_without_progress(
    run: str, mark: RunProgress, entries: Sequence[SubmittedTask], chain: frozenset[str] | None
) -> int:
    """Count the latest attempts without progress, within `chain` if it is given."""
    count = 0
    for entry in reversed(entries):
        if chain is not None and entry.submission.id not in chain:
            break
        if entry.submission.marks.get(run, RunProgress()) != mark:
            break
        count += 1
    return count
