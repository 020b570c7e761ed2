"""`harness cancel`: cancels runs."""

from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings, find_runs

if TYPE_CHECKING:
    from harness.store.run_directory import RunDirectory


@click.command("cancel")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--all", "everything", is_flag=True, help="All runs that are running, interrupted or pending.")
@click.pass_obj
def cancel_command(settings: Settings, runs: tuple[str, ...], everything: bool) -> None:
    """Cancel runs: 'run' skips them until 'retry'. Their progress is kept.

    RUN is the beginning of a run's id. The worker of a cancelled run saves its state and stops: on this machine at
    once, elsewhere within ten seconds. Other runs continue.

    \b
    Examples:
      python -m harness cancel 679901 0c29d4
      python -m harness cancel --all
    """
    from harness.launch.job_status import cancel_jobs
    from harness.store.run_directory import RunState

    unfinished = (RunState.RUNNING, RunState.INTERRUPTED, RunState.PENDING)
    chosen = find_runs(settings, runs, "--all" if everything else None, unfinished)
    for directory in chosen:
        click.echo(_cancel(directory))
    if jobs := cancel_jobs(settings.results, [directory.id for directory in chosen]):
        click.echo(f"cancelled in the queue: {', '.join(jobs)}")


def _cancel(directory: "RunDirectory") -> str:
    """Cancel a run, unless it is done or cancelled already, and return what was done."""
    from harness.store.lease import holder
    from harness.store.records import Outcome
    from harness.store.run_directory import RunState

    name = f"{directory.run().name} ({directory.id})"
    directory.check()
    state = directory.state()
    if state is RunState.DONE:
        return f"{name} is done: nothing to cancel"
    if state is RunState.CANCELLED:
        return f"{name} is already cancelled"
    Outcome.now("cancelled").save(directory.outcome)
    worker = holder(directory.path)
    if worker is None:
        return f"{name} is cancelled"
    soon = "at the next safe point" if worker.request_stop() else "within ten seconds"
    return f"{name} is cancelled: its worker on {worker.process.host} saves its state and stops {soon}"
