"""Job status of submitted runs from the scheduler, which is queried only if something was submitted.

The run directory is authoritative for the state of a run; the scheduler adds which jobs are queued, and why.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.advice import command
from harness.store.results import Results

if TYPE_CHECKING:
    from harness.launch.slurm import JobStatus

SUBMISSIONS = "submissions"


def job_statuses(results: Results) -> "Mapping[str, JobStatus]":
    """Return the job status by run, with a single query for all."""
    if not _has_submissions(results):
        return {}
    from harness.launch import slurm

    return slurm.job_statuses(results)


def cancel_jobs(results: Results, runs: Iterable[str]) -> list[str]:
    """Remove the jobs of cancelled runs from the queue, except jobs shared with other runs; return their ids."""
    if not _has_submissions(results):
        return []
    from harness.launch import slurm

    return slurm.cancel(results, runs)


def job_logs(results: Results, run: str) -> list[Path]:
    """Return the logs of a run's jobs, oldest first, with the output outside of the run's own log."""
    if not _has_submissions(results):
        return []
    from harness.launch import slurm

    return slurm.logs(results, run)


def profiles_of(results: Results) -> "Mapping[str, str]":
    """Return the profile of the last submission of every submitted run, by run id."""
    if not _has_submissions(results):
        return {}
    from harness.launch import slurm

    return slurm.profiles_of(results)


def retry_commands(results: Results, runs: Iterable[str]) -> list[str]:
    """Return the commands that start cancelled or failed runs again where they were started before."""
    profiles, by_profile = profiles_of(results), dict[str, list[str]]()
    for run in runs:
        by_profile.setdefault(profiles.get(run, ""), []).append(run)
    places = {name: f" --executor slurm --profile {shlex.quote(name)}" if name else "" for name in by_profile}
    return [command(f"retry {' '.join(ids)}{places[name]}") for name, ids in by_profile.items()]


def _has_submissions(results: Results) -> bool:
    return (results.root / SUBMISSIONS).is_dir()
