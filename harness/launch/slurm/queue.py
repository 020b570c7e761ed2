"""The queue: the jobs of runs and their states, from a single query.

If a process died between `sbatch` and recording the job id, `complete` finds the job by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.launch.slurm.manifest import (
    OUT_OF_MEMORY,
    STALLED,
    Array,
    Submission,
    SubmittedTask,
    entries,
    last_log_line,
    save,
    submissions,
)
from harness.launch.slurm.scheduler import Job, JobState, Scheduler
from harness.store.results import Results

STATES_IN_LOG: Mapping[str, JobState] = {OUT_OF_MEMORY: JobState.OUT_OF_MEMORY, STALLED: JobState.STALLED}
"""States recognised by their message in the log; the scheduler only reports a failure."""


@dataclass(frozen=True)
class Queue:
    """The entries of runs in submissions, oldest first, and the state of their newest jobs by job id."""

    entries: Mapping[str, list[SubmittedTask]]
    jobs: Mapping[str, Job]
    answers: bool

    def job(self, run: str) -> Job | None:
        """Return the newest job of a run, None if it has none."""
        entry = self.entries[run][-1] if self.entries.get(run) else None
        return self.jobs.get(entry.job) if entry and entry.job else None


def look(results: Results, scheduler: Scheduler, runs: Iterable[str]) -> Queue:
    """Return the queue entries and jobs of these runs."""
    found = entries(results)
    newest = {run: found[run][-1] for run in runs if run in found}
    users = {entry.submission.user for entry in newest.values()}
    jobs = scheduler.jobs({entry.job for entry in newest.values() if entry.job}, users)
    for entry in newest.values():
        # Accounting may be down, and has no state for memory kills without cgroups or for stalled workers.
        vague = entry.job is not None and jobs[entry.job].state in (JobState.FAILED, JobState.UNKNOWN)
        line = last_log_line(results, entry.submission.id, entry.job) if entry.job and vague else ""
        for message, state in STATES_IN_LOG.items():
            if entry.job and message in line:
                jobs[entry.job] = replace(jobs[entry.job], state=state, reason="")
    return Queue(found, jobs, scheduler.answers)


def complete(results: Results, scheduler: Scheduler) -> None:
    """Record missing job ids of submissions after a crash, and mark arrays that were never submitted.

    Call this while holding the submission lock, and only if the scheduler answers.
    """
    for submission in submissions(results):
        changed: Submission = submission
        for array in submission.arrays:
            if array.job_id is None and array.refused is None:
                id = scheduler.find(array.name)
                changed = changed.with_array(_completed(array, id))
        if changed is not submission:
            save(results, changed)


def _completed(array: Array, job_id: str | None) -> Array:
    if job_id is None:
        return array.model_copy(update={"refused": "the process died before it was submitted"})
    return array.model_copy(update={"job_id": job_id})
