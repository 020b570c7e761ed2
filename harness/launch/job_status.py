"""The scheduler's second opinion on runs that were submitted to a cluster. Where nothing was, nothing is asked.

The run directory decides what became of a run; a scheduler knows besides what waits in its queue, and why.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.store.results import Results

if TYPE_CHECKING:
    from harness.launch.slurm import JobStatus

SUBMISSIONS = "submissions"


def job_statuses(results: Results) -> "Mapping[str, JobStatus]":
    """Return by run what the scheduler says of it: one question for all of them."""
    if not _has_submissions(results):
        return {}
    from harness.launch import slurm

    return slurm.job_statuses(results)


def cancel_jobs(results: Results, runs: Iterable[str]) -> list[str]:
    """Take the jobs of cancelled runs out of the queue and return their ids; jobs that other runs share stay."""
    if not _has_submissions(results):
        return []
    from harness.launch import slurm

    return slurm.cancel(results, runs)


def job_logs(results: Results, run: str) -> list[Path]:
    """Return the logs of a run's jobs, oldest first: what came before and beside the log of the run."""
    if not _has_submissions(results):
        return []
    from harness.launch import slurm

    return slurm.logs(results, run)


def _has_submissions(results: Results) -> bool:
    return (results.root / SUBMISSIONS).is_dir()
