"""The scheduler's second opinion on runs that were submitted to a cluster. Where nothing was, nothing is asked.

The run directory decides what became of a run; a scheduler knows besides what waits in its queue, and why.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from harness.store.run_directory import Results

SUBMISSIONS = "submissions"


class JobOpinion(Protocol):
    """What a scheduler says of a run's newest job; `reason` is in its words, `state` in this project's."""

    job_id: str
    state: str
    reason: str


def opinions(results: Results) -> Mapping[str, JobOpinion]:
    """Return by run what the scheduler says of it: one question for all of them."""
    return _slurm().opinions(results) if _has_submissions(results) else {}


def cancel_jobs(results: Results, runs: Iterable[str]) -> list[str]:
    """Take the jobs of cancelled runs out of the queue and return their ids; jobs that other runs share stay."""
    return _slurm().cancel(results, runs) if _has_submissions(results) else []


def job_logs(results: Results, run: str) -> list[Path]:
    """Return the logs of a run's jobs, oldest first: what came before and beside the log of the run."""
    return _slurm().logs(results, run) if _has_submissions(results) else []


def _has_submissions(results: Results) -> bool:
    return (results.root / SUBMISSIONS).is_dir()


def _slurm() -> Any:
    return import_module("harness.launch.slurm")
