"""`harness retry`: resumes runs that failed or were cancelled."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.advice import command
from harness.cli.executors import ExecutorOptions, executor_options
from harness.cli.options import ExecutionOptions, execution_options
from harness.cli.settings import Settings, find_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.config.execution import Execution
    from harness.launch.plan import PlannedRun
    from harness.store.run_directory import RunDirectory


@click.command("retry")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--failed", is_flag=True, help="All runs that failed.")
@executor_options
@execution_options
@click.pass_obj
def retry_command(
    settings: Settings,
    runs: tuple[str, ...],
    failed: bool,
    executor: ExecutorOptions,
    execution: ExecutionOptions,
) -> int:
    """Resume runs that were cancelled or failed. They continue from their last checkpoint.

    RUN is the beginning of a run's id. The record of the cancellation or failure is deleted. A run that was submitted
    to SLURM is submitted again, with the same profile, unless --executor is given.

    \b
    Examples:
      python -m harness retry 679901
      python -m harness retry 679901 --executor local
      python -m harness retry --failed --workers 2
    """
    from harness.cli.slurm import request_of
    from harness.launch.needs import refuse_unfit_loader
    from harness.launch.plan import as_requested
    from harness.store.run_directory import RunState

    executor.check()
    found = find_runs(settings, runs, "--failed" if failed else None, (RunState.FAILED,))
    todo = [as_requested(directory) for directory in found if _is_open(settings, directory)]
    if not todo:
        settings.echo("nothing to retry")
        return 0
    how = execution.execution()
    refuse_unfit_loader(how, todo)
    places = _places(settings, todo, executor)
    for where, _ in places:
        where.check()
        if where.executor == "slurm":
            request_of(settings, where, how, {})  # an unknown profile is an error before anything is deleted
    for planned in todo:
        planned.directory.outcome.unlink(missing_ok=True)
    return max(_retry(settings, where, of_place, how) for where, of_place in places)


def _places(
    settings: Settings, todo: "Sequence[PlannedRun]", executor: ExecutorOptions
) -> "list[tuple[ExecutorOptions, list[PlannedRun]]]":
    """Return the executors of some runs: the given one, else SLURM with the profile of a run's last submission.

    Submissions come first, since they return at once.
    """
    from harness.launch.job_status import profiles_of

    if executor.executor is not None:
        return [(executor, list(todo))]
    profiles = profiles_of(settings.results)
    by_profile: dict[str, list[PlannedRun]] = {}
    for planned in todo:
        by_profile.setdefault(profiles.get(planned.run.id, ""), []).append(planned)
    here = by_profile.pop("", None)
    places = [(replace(executor, executor="slurm", profile=name), runs) for name, runs in by_profile.items()]
    return [*places, *([(executor, here)] if here else [])]


def _retry(settings: Settings, executor: ExecutorOptions, todo: "Sequence[PlannedRun]", execution: "Execution") -> int:
    """Submit or execute some runs, and return the exit code."""
    from harness.cli.executing import execute, exit_code
    from harness.cli.slurm import request_of, submit_runs

    if executor.executor == "slurm":
        settings.echo(f"with --executor slurm --profile {executor.profile}:")
        ids = [planned.run.id for planned in todo]
        request = request_of(settings, executor, execution, {"retry": ids})
        return submit_runs(settings, todo, executor, request, command("status"))
    state = execute(settings, todo, len(todo), executor, execution)
    settings.echo(f"{len(state.done)} of {len(todo)} runs are done")
    return exit_code(state, len(state.done))


def _is_open(settings: Settings, directory: "RunDirectory") -> bool:
    """Return whether a run is unfinished; print a line if it is done."""
    from harness.store.run_directory import RunState

    if directory.state() is RunState.DONE:
        settings.echo(f"{directory.run().name} ({directory.id}) is done")
        return False
    return True
