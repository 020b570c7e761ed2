"""`harness retry`: resumes runs that failed or were cancelled."""

from typing import TYPE_CHECKING

import click

from harness.cli.executors import ExecutorOptions, executor_options
from harness.cli.options import ExecutionOptions, execution_options
from harness.cli.settings import Settings, find_runs

if TYPE_CHECKING:
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

    RUN is the beginning of a run's id. The record of the cancellation or failure is deleted.

    \b
    Examples:
      python -m harness retry 679901
      python -m harness retry --failed --workers 2
    """
    from harness.cli.executing import execute, exit_code
    from harness.cli.slurm import submit_runs
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
    for planned in todo:
        planned.directory.outcome.unlink(missing_ok=True)
    if executor.executor == "slurm":
        ids = [planned.run.id for planned in todo]
        return submit_runs(settings, todo, executor, how, {"retry": ids}, "python -m harness status")
    state = execute(settings, todo, len(todo), executor, how)
    settings.echo(f"{len(state.done)} of {len(todo)} runs are done")
    return exit_code(state, len(state.done))


def _is_open(settings: Settings, directory: "RunDirectory") -> bool:
    """Return whether a run is unfinished; print a line if it is done."""
    from harness.store.run_directory import RunState

    if directory.state() is RunState.DONE:
        settings.echo(f"{directory.run().name} ({directory.id}) is done")
        return False
    return True
