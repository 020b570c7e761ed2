"""One array task, which looks up its part of the manifest by the SLURM array index.

A task with several runs starts them as concurrent child processes. It exits with EVICTED if it was preempted, STALLED
if it was preempted before any run made progress, and LOST if a run died without a record.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import SpecError, unknown
from harness.exit_codes import ExitCode
from harness.launch.launchers import SingleProcess
from harness.launch.local import Evicted, ExecutorState, LocalExecutor
from harness.launch.machine import usable_cores
from harness.launch.plan import as_requested
from harness.launch.slurm.manifest import RunProgress, Submission, Task
from harness.launch.slurm.policy import progress_of
from harness.natural import natural
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

INDEX, RESTARTS = "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT"


def task_at(manifest: Path, array: str) -> tuple[Submission, Task]:
    """Return the submission and this process's task in the array with this name.

    Raises `SpecError` if the manifest has no such array or task.
    """
    try:
        submission = Submission.load(manifest)
    except FileNotFoundError:
        raise SpecError(f"no manifest at {manifest}") from None
    arrays = {entry.name: entry for entry in submission.arrays}
    if array not in arrays:
        raise unknown("array", array, arrays)
    tasks, given = arrays[array].tasks, os.environ.get(INDEX, "")
    index = natural(given)
    if index is None or index >= len(tasks):
        raise SpecError(f"{INDEX}='{given}': allowed: 0 to {len(tasks) - 1}")
    return submission, tasks[index]


def run_side_by_side(
    results: Results, submission: Submission, task: Task, show: Callable[[ExecutorState], None]
) -> int:
    """Execute the runs of a packed task and return the exit code.

    Done, failed, cancelled and unreadable runs are skipped.
    """
    launcher = SingleProcess(results, Path(submission.data), submission.execution)
    found = [directory for directory in _directories(results, task.runs) if _is_open(directory.state())]
    todo = [as_requested(directory) for directory in found]
    before = progress_of_task(results, task)
    slots = len(launcher.gpus) * submission.profile.runs_per_gpu or usable_cores()
    try:
        LocalExecutor(launcher, min(slots, max(len(todo), 1)), fail_fast=False).execute(todo, show)
    except Evicted:
        return ExitCode.STALLED if progress_of_task(results, task) == before else ExitCode.EVICTED
    return ExitCode.LOST if any(_is_open(planned.state) for planned in todo) else ExitCode.DONE


def progress_of_task(results: Results, task: Task) -> list[RunProgress]:
    """Return the durable progress of a task's runs, by which requeues without progress are limited."""
    return [progress_of(directory) for directory in _directories(results, task.runs)]


def needs_no_work(directory: RunDirectory) -> bool:
    """Return whether a run needs no work: it is done or cancelled, or failed before this restart."""
    restarted = os.environ.get(RESTARTS, "0") != "0"
    return directory.state() in (RunState.DONE, RunState.CANCELLED, *([RunState.FAILED] if restarted else []))


def _directories(results: Results, runs: Sequence[str]) -> list[RunDirectory]:
    return [RunDirectory(results.runs / run) for run in runs]


def _is_open(state: RunState) -> bool:
    return state not in (RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.UNREADABLE)
