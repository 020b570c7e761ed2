"""The follow-up job of a submission, which applies the resubmission policy after the arrays have ended.

It runs as `python -m harness.launch.slurm.watchdog RESULTS SUBMISSION` for seconds on one CPU, writes to the
submission's log, and submits with the snapshot and the profile of the submission.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.errors import HarnessError
from harness.launch.plan import as_requested
from harness.launch.slurm.manifest import Submission, manifest_path
from harness.launch.slurm.policy import Action
from harness.launch.slurm.scheduler import Scheduler
from harness.launch.slurm.submit import Request, Submitted, submit
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

ATTEMPTS, PAUSE_SECONDS = 5, 30.0
"""Retries while the scheduler does not answer."""


def follow_up(results: Results, id: str, scheduler: Scheduler) -> Submitted:
    """Resubmit the runs of a submission according to the policy.

    Raises `HarnessError` if the scheduler does not answer.
    """
    submission = Submission.load(manifest_path(results, id))
    request = request_like(results, submission, chain_of(results, submission))
    runs = [run for array in submission.arrays for task in array.tasks if task.kind == "runs" for run in task.runs]
    todo = [as_requested(RunDirectory(results.runs / run)) for run in dict.fromkeys([*runs, *submission.waiting])]
    return submit(request, [planned for planned in todo if planned.state is not RunState.DONE], scheduler)


def request_like(results: Results, submission: Submission, chain: tuple[str, ...]) -> Request:
    """Return a request with the code, profile and settings of a submission, that continues a chain of submissions."""
    return Request(
        results=results,
        data=Path(submission.data),
        profile_name=submission.profile_name,
        profile=submission.profile,
        execution=submission.execution,
        selection=submission.selection,
        chain=chain,
        code=submission.code,
        watchdog=submission.watchdog,
    )


def chain_of(results: Results, submission: Submission) -> tuple[str, ...]:
    """Return the chain of submissions that ends with this one, oldest first."""
    chain = [submission.id]
    while submission.parent:
        submission = Submission.load(manifest_path(results, submission.parent))
        chain.append(submission.id)
    return tuple(reversed(chain))


def main(arguments: Sequence[str]) -> int:
    """Follow up the submission named on the command line; the exit code is 0 even if unfinished runs remain."""
    root, id = arguments
    results = Results(Path(root))
    done = persistently(id, lambda: follow_up(results, id, Scheduler(min_interval=0)))
    if done is None:
        return 1
    report(id, done)
    return 0


def persistently(id: str, submits: Callable[[], Submitted]) -> Submitted | None:
    """Return what was submitted after `ATTEMPTS` attempts at most, None if each of them failed."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            return submits()
        except HarnessError as error:
            print(f"follow-up of {id}: {error}", flush=True)
    return None


def report(id: str, done: Submitted) -> None:
    """Print the decision on every run, and the submission if there is one."""
    for run, decision in done.verdicts.items():
        what = {Action.SUBMIT: "submitted again", Action.WAIT: "left in the queue", Action.LEAVE: "left alone"}
        print(f"follow-up of {id}: {run} {decision.says}: {what[decision.action]}", flush=True)
    if done.submission is not None:
        jobs = ", ".join(array.job_id or f"refused ({array.refused})" for array in done.submission.arrays)
        print(f"follow-up of {id}: submission {done.submission.id}, jobs {jobs}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
