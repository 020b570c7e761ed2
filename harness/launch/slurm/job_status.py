"""Job status, cancellation and logs of runs, for commands."""

import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.errors import HarnessError
from harness.launch.slurm.manifest import FOLDER, SubmittedTask, entries, log_path
from harness.launch.slurm.policy import POLICIES
from harness.launch.slurm.queue import look
from harness.launch.slurm.scheduler import ALIVE, JobState, Scheduler, call
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState


class JobStatus(NamedTuple):
    """The status of a run's newest job, such as `123_4`; `reason` is the scheduler's text."""

    job_id: str
    state: JobState
    reason: str
    submission: str

    @property
    def alive(self) -> bool:
        """Whether the job is queued or running."""
        return self.state in ALIVE

    def __str__(self) -> str:
        detail = self.reason or POLICIES[self.state].says
        return f"job {self.job_id}: {self.state.value}" + (f" ({detail})" if detail else "")


@cache
def shared_scheduler() -> Scheduler:
    """Return the scheduler shared by this process, which limits the rate of queries."""
    return Scheduler()


def job_statuses(results: Results, scheduler: Scheduler | None = None) -> dict[str, JobStatus]:
    """Return the job status of every submitted, unfinished run, by run id.

    The scheduler is queried only if there are submissions.
    """
    if not (results.root / FOLDER).is_dir():
        return {}
    found = entries(results)
    open_runs = [run for run in found if not _is_done(results, run)]
    if not open_runs:
        return {}
    queue = look(results, scheduler or shared_scheduler(), open_runs)
    statuses: dict[str, JobStatus] = {}
    for run in open_runs:
        job = queue.job(run)
        if job is not None:
            statuses[run] = JobStatus(job.id, job.state, job.reason, found[run][-1].submission.id)
    return statuses


def cancel(results: Results, runs: Iterable[str]) -> list[str]:
    """Cancel the jobs of some runs and return the job ids.

    Jobs shared with other unfinished runs are kept: there the worker of a cancelled run stops at its cancelled record,
    which must exist before this call. Raises `HarnessError` if `scancel` fails.
    """
    chosen, found = set(runs), entries(results)
    jobs = set()
    for entry in (found[run][-1] for run in chosen if run in found):
        others = [run for run in entry.array.tasks[entry.task].runs if run not in chosen]
        if entry.job and all(_has_ended(results, run) for run in others):
            jobs.add(entry.job)
    alive = {
        id for id, job in Scheduler(min_interval=0).jobs(jobs, _users(found, chosen)).items() if job.state in ALIVE
    }
    if alive:
        try:
            done = call(["scancel", *sorted(alive)])
        except (OSError, subprocess.TimeoutExpired) as error:
            raise HarnessError(f"scancel does not answer: {error}") from None
        if done.returncode != 0:
            raise HarnessError(f"scancel: {' '.join(done.stderr.split())}")
    return sorted(alive)


def logs(results: Results, run: str) -> list[Path]:
    """Return the logs of the submissions of a run, oldest first."""
    ids = dict.fromkeys(entry.submission.id for entry in entries(results).get(run, []))
    return [path for id in ids if (path := log_path(results, id)).exists()]


def profiles_of(results: Results) -> dict[str, str]:
    """Return the name of the profile of the last submission of every run, by run id."""
    return {run: tasks[-1].submission.profile_name for run, tasks in entries(results).items()}


def _users(found: Mapping[str, list[SubmittedTask]], runs: set[str]) -> set[str]:
    return {found[run][-1].submission.user for run in runs if run in found}


def _is_done(results: Results, run: str) -> bool:
    return RunDirectory(results.runs / run).state() is RunState.DONE


def _has_ended(results: Results, run: str) -> bool:
    return RunDirectory(results.runs / run).state() in (RunState.DONE, RunState.FAILED, RunState.CANCELLED)
