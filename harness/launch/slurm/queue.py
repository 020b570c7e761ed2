"""What stands in the queue: which run belongs to which job, and the scheduler's word on all of them in one look.

A submission whose process died between `sbatch` and noting the job id is completed here: its jobs are found by name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.launch.slurm.manifest import (
    OUT_OF_MEMORY,
    STALLED,
    Array,
    Place,
    Submission,
    last_words,
    places,
    save,
    submissions,
)
from harness.launch.slurm.scheduler import Job, JobState, Scheduler
from harness.store.run_directory import Results

WRITTEN: Mapping[str, JobState] = {OUT_OF_MEMORY: JobState.OUT_OF_MEMORY, STALLED: JobState.STALLED}
"""States that the log tells of where the scheduler only knows of a failure."""


@dataclass(frozen=True)
class Queue:
    """The places of runs in submissions, oldest first, and the scheduler's word on their newest jobs, by job id."""

    places: Mapping[str, list[Place]]
    jobs: Mapping[str, Job]
    answers: bool

    def job(self, run: str) -> Job | None:
        """Return the newest job of a run, None where it has none."""
        place = self.places[run][-1] if self.places.get(run) else None
        return self.jobs.get(place.job) if place and place.job else None


def look(results: Results, scheduler: Scheduler, runs: Iterable[str]) -> Queue:
    """Return what stands in the queue of these runs."""
    found = places(results)
    newest = {run: found[run][-1] for run in runs if run in found}
    users = {place.submission.user for place in newest.values()}
    jobs = scheduler.jobs({place.job for place in newest.values() if place.job}, users)
    for place in newest.values():
        # The database may be cut off, and has no name for what a limit without cgroups does, or for a worker's reasons.
        vague = place.job is not None and jobs[place.job].state in (JobState.FAILED, JobState.UNKNOWN)
        words = last_words(results, place.submission.id, place.job) if place.job and vague else ""
        for said, state in WRITTEN.items():
            if place.job and said in words:
                jobs[place.job] = replace(jobs[place.job], state=state, reason="")
    return Queue(found, jobs, scheduler.answers)


def complete(results: Results, scheduler: Scheduler) -> None:
    """Note the job ids of submissions whose process died before it could; what was never submitted is marked so.

    Call it under the lock of submissions, and only when the scheduler answers.
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
