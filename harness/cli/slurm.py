"""Submits to SLURM for `run` and `retry`, and prints the queued jobs and how to watch them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from harness.advice import command
from harness.cli.executors import ExecutorOptions
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.config.execution import Execution
    from harness.launch.plan import PlannedRun
    from harness.launch.slurm.job_status import JobStatus
    from harness.launch.slurm.manifest import Array, Submission
    from harness.launch.slurm.policy import Resubmission
    from harness.launch.slurm.submit import Request, Submitted
    from harness.store.decisions import Decision

WAIT_SECONDS = 10.0


def submit_runs(
    settings: Settings,
    todo: "Sequence[PlannedRun]",
    executor: ExecutorOptions,
    request: "Request",
    report: str,
) -> int:
    """Submit runs, print which are queued and which are not, and return the exit code; `--wait` waits for them.

    Raises `HarnessError` if the scheduler does not respond.
    """
    from harness.launch.slurm.scheduler import Scheduler
    from harness.launch.slurm.submit import submit

    done = submit(request, todo, Scheduler(min_interval=0))
    _print_decisions(settings, todo, done.verdicts)
    for sentence in done.unused:
        click.echo(f"harness: {sentence}", err=True)
    if done.submission is not None:
        _print_submission(settings, done.submission, done.accepted, executor)
    for array in done.refused:
        click.echo(f"harness: sbatch refuses {array.name}: {array.refused}", err=True)
    waits = executor.wait and (done.accepted or _queued(done))
    failed = _wait(settings, todo) if waits else 0
    if done.accepted or not done.refused:
        settings.echo(report)
    return 1 if done.refused or failed else 0


def describe_arrays(
    settings: Settings, todo: "Sequence[PlannedRun]", executor: ExecutorOptions, execution: "Execution"
) -> list[str]:
    """Return a line for every array that would be submitted."""
    from harness.launch.slurm.arrange import shapes
    from harness.launch.slurm.scheduler import Scheduler
    from harness.launch.slurm.submit import preview

    request = request_of(settings, executor, execution, {})
    arrangement = preview(request, todo, Scheduler(min_interval=0))
    lines = shapes(arrangement.arrays, request.parallelism or request.profile.array_parallelism)
    later = f"{len(arrangement.waiting)} more runs when the queue has room again"
    return ["", *lines, *([later] if arrangement.waiting else [])]


def request_of(
    settings: Settings, executor: ExecutorOptions, execution: "Execution", selection: Mapping[str, Any]
) -> "Request":
    """Return the request to the cluster for these options.

    Raises `SpecError` for incompatible options or an unknown profile.
    """
    from harness.launch.slurm.profile_files import lasting_name, load_profile
    from harness.launch.slurm.submit import Request

    name = executor.profile_name()
    return Request(
        results=settings.results,
        data=settings.data_root,
        profile_name=lasting_name(name),
        profile=load_profile(name),
        execution=execution,
        selection=dict(selection),
        parallelism=executor.array_parallelism,
    )


def request_of_rounds(
    settings: Settings, executor: ExecutorOptions, execution: "Execution", decision: "Decision"
) -> "Request":
    """Return the request for the rounds of a decision, whose follow-up jobs go on with the next round.

    Raises `SpecError` if nothing would go on.
    """
    from harness.errors import SpecError
    from harness.sequential.follow_up import DECISION, MODULE

    request = request_of(settings, executor, execution, {DECISION: decision.id})
    if not (request.profile.follow_up.enabled or executor.wait):
        says = f"profile {executor.profile_name()} has no follow-up job, which submits the next round"
        raise SpecError(f"{says}: set enabled = true in [follow_up], or give --wait")
    return replace(request, watchdog=MODULE)


def _queued(done: "Submitted") -> bool:
    from harness.launch.slurm.policy import Action

    return any(verdict.action is Action.WAIT for verdict in done.verdicts.values())


def _print_decisions(settings: Settings, todo: "Sequence[PlannedRun]", verdicts: "Mapping[str, Resubmission]") -> None:
    """Print which runs are not submitted or submitted again, and why; one line per reason."""
    from harness.launch.slurm.policy import Action

    names: dict[tuple[str, str], list[str]] = {}
    for planned in todo:
        verdict = verdicts[planned.run.id]
        if verdict.action is not Action.SUBMIT or verdict.job is not None:
            what = "submitted again" if verdict.action is Action.SUBMIT else "not submitted"
            where = f" (job {verdict.job})" if verdict.job else ""
            names.setdefault((what, verdict.says), []).append(f"{planned.run.name}{where}")
    for (what, says), runs in names.items():
        listed = runs[0] if len(runs) == 1 else f"{len(runs)} runs, such as {runs[0]}"
        settings.echo(f"{what}: {listed}: {says}")


def _print_submission(
    settings: Settings, submission: "Submission", accepted: "Sequence[Array]", executor: ExecutorOptions
) -> None:
    """Print the jobs of the accepted arrays and how to watch them."""
    from harness.launch.slurm.arrange import shapes
    from harness.launch.slurm.manifest import WATCHDOG, log_path

    parallelism = executor.array_parallelism or submission.profile.array_parallelism
    for array, shape in zip(accepted, shapes(accepted, parallelism), strict=True):
        settings.echo(f"job {array.job_id}: {shape}")
    if submission.follow_up:
        then = "" if submission.watchdog == WATCHDOG else ", then submits the next round"
        settings.echo(f"job {submission.follow_up}: resubmits unfinished runs when these have ended{then}")
    if submission.waiting:
        when = "will be submitted" if submission.follow_up else "are left: run the same command again"
        settings.echo(f"{len(submission.waiting)} runs {when} when the queue has room again")
    if not accepted:
        return
    settings.echo(f"log: {log_path(settings.results, submission.id)}; a run's own: {command('logs RUN')}")
    ids = ",".join(array.job_id for array in accepted if array.job_id)
    settings.echo(f"watch: {command('status --watch')}, or squeue --jobs={ids}; the terminal is not needed")


def _trace(settings: Settings, planned: "PlannedRun", job: "JobStatus | None") -> str:
    """Return the scheduler's account of a run without an outcome, and its logs that exist."""
    from harness.launch.slurm.job_status import logs

    found = [planned.directory.log] if planned.directory.log.exists() else []
    found += logs(settings.results, planned.run.id)[-1:]
    where = f"see {' and '.join(map(str, found))}" if found else "it left no log"
    return f"{job}; {where}" if job else where


def _wait(settings: Settings, todo: "Sequence[PlannedRun]") -> int:
    """Wait until no job of the runs or follow-up is in the queue; return the number of runs that are not done."""
    from harness.launch.slurm.job_status import job_statuses
    from harness.launch.slurm.manifest import submissions
    from harness.launch.slurm.scheduler import ALIVE, JobState, Scheduler
    from harness.store.run_directory import RunState

    scheduler = Scheduler(min_interval=WAIT_SECONDS)
    ids = {planned.run.id for planned in todo}
    while True:
        said = job_statuses(settings.results, scheduler)
        in_queue = ids & {run for run, job_status in said.items() if job_status.state in ALIVE | {JobState.SILENT}}
        follow_ups = {s.follow_up for s in submissions(settings.results) if s.follow_up and ids & s.marks.keys()}
        waiting = {job.state for job in scheduler.jobs(follow_ups).values()} & {*ALIVE, JobState.SILENT}
        left = [planned for planned in todo if planned.state is not RunState.DONE]
        if not left or not (in_queue or waiting):
            break
        time.sleep(WAIT_SECONDS)
    said = job_statuses(settings.results, Scheduler(min_interval=0)) if left else {}
    for planned in left:
        outcome = planned.directory.last_outcome()
        why = outcome.error if outcome and outcome.error else _trace(settings, planned, said.get(planned.run.id))
        click.echo(f"harness: {planned.run.name} ({planned.run.id}) is not done: {why}", err=True)
    settings.echo(f"{len(todo) - len(left)} of {len(todo)} runs are done")
    return len(left)
