"""Rehearses a plan for `run --rehearse` with any executor, and prints the results."""

from collections import Counter
from dataclasses import replace
from signal import SIGKILL
from typing import TYPE_CHECKING

import click

from harness.cli.executors import ExecutorOptions
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.config.execution import Execution
    from harness.launch.launchers import Launcher
    from harness.launch.local import ExecutorState
    from harness.launch.plan import Plan, PlannedRun
    from harness.launch.rehearsals import Rehearsing
    from harness.store.rehearsals import Problem

POLL_SECONDS = 3.0


def rehearse(settings: Settings, plan: "Plan", executor: ExecutorOptions, execution: "Execution", as_json: bool) -> int:
    """Rehearse every run of a plan and print the results; the exit code is 1 if there are problems.

    Raises `SpecError` for incompatible options, before anything starts.
    """
    from harness.launch.rehearsals import outcome, rehearsals_of

    planned = rehearsals_of(plan, settings.results)
    echoing = replace(settings, quiet=settings.quiet or as_json)
    echoing.echo(f"{len(planned)} {'run' if len(planned) == 1 else 'runs'} to rehearse at scale {plan.scale}")
    where = _on_cluster if executor.executor == "slurm" else _on_this_machine
    result = outcome(plan.scale, planned, where(echoing, planned, executor, execution))
    if as_json:
        print_json(result.to_json())
    else:
        click.echo(_described(result))
    return 0 if result.ok else 1


def _on_this_machine(
    settings: Settings, planned: "Sequence[PlannedRun]", executor: ExecutorOptions, execution: "Execution"
) -> "dict[str, Problem]":
    """Rehearse on this machine, and return the problems of workers that left no record, by run id."""
    from harness.launch.display import LiveDisplay, PlainDisplay
    from harness.launch.launchers import SingleProcess
    from harness.launch.local import LocalExecutor

    launcher = executor.launcher(settings, execution, SingleProcess)  # a fork has the peak memory of its server
    for entry in planned:
        entry.request()
    local = LocalExecutor(launcher, executor.workers or launcher.default_workers, executor.fail_fast)
    console = settings.console()
    display = LiveDisplay if console.is_terminal else PlainDisplay
    with display(console, len(planned), 0) as shown:
        state = local.execute(planned, shown.show)
    return _problems(state, launcher)


def _on_cluster(
    settings: Settings, planned: "Sequence[PlannedRun]", executor: ExecutorOptions, execution: "Execution"
) -> "dict[str, Problem]":
    """Rehearse as jobs, wait for them, and return the problems that the scheduler reports, by run id."""
    from harness.cli.slurm import request_of
    from harness.launch.slurm.preflight import await_records, submit_rehearsals
    from harness.launch.slurm.scheduler import Job, Scheduler

    scheduler, last_line = Scheduler(min_interval=0), [""]
    found = submit_rehearsals(request_of(settings, executor, execution, {"rehearsal": True}), planned, scheduler)

    def show(jobs: "Mapping[str, Job]") -> None:
        states = Counter(f"{job.state} ({job.reason})" if job.reason else f"{job.state}" for job in jobs.values())
        line = f"{len(planned) - len(jobs)} of {len(planned)} ended; " + ", ".join(
            f"{n} {s}" for s, n in states.items()
        )
        if line != last_line[0]:
            settings.echo(line)
            last_line[0] = line

    try:
        return await_records(settings.results, found, planned, scheduler, show, POLL_SECONDS)
    except KeyboardInterrupt:
        ids = ",".join(array.job_id for array in found.submission.arrays if array.job_id)
        settings.echo(f"the jobs continue, and 'plan' will use their records: scancel {ids} stops them")
        raise


def _problems(state: "ExecutorState", launcher: "Launcher") -> "dict[str, Problem]":
    """Return the exit reason of every worker that left no record, by run id."""
    from harness.store.rehearsals import Problem
    from harness.store.run_directory import RunState

    found = {}
    for id, code in state.exit_codes.items():
        entry = state.failed[id]
        if entry.state is RunState.FAILED:
            continue
        if code == -SIGKILL:
            what = "the worker was killed, probably because memory ran out"
            found[id] = Problem(part="worker", what=what, mend="more memory, or fewer runs in parallel (--workers)")
        else:
            found[id] = Problem(
                part="worker", what=launcher.exit_reason(entry, code), mend=f"see {entry.directory.log}"
            )
    return found


def _described(result: "Rehearsing") -> str:
    from tabulate import tabulate

    from harness.launch.rehearsals import HEADINGS

    align = ["right" if name in ("peak memory", "s/step", "training", "evaluations") else "left" for name in HEADINGS]
    table = tabulate(result.rows(), HEADINGS, disable_numparse=True, colalign=align)
    return "\n".join([table, "", *result.lines()])
