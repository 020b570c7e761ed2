"""`harness cancel`: takes runs out of the work."""

from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings, find_runs

if TYPE_CHECKING:
    from harness.store.run_directory import RunDirectory


@click.command("cancel")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--all", "everything", is_flag=True, help="All runs that are at work, interrupted, or not started yet.")
@click.pass_obj
def cancel_command(settings: Settings, runs: tuple[str, ...], everything: bool) -> None:
    """Take runs out of the work: 'run' leaves them alone until 'retry'. What they have reached is kept.

    RUN is the beginning of a run's id. A worker that is at one saves its state and leaves: on this machine at once,
    elsewhere within ten seconds. The other runs go on.

    \b
    Examples:
      python -m harness cancel 679901 0c29d4
      python -m harness cancel --all
    """
    from harness.launch.job_status import cancel_jobs
    from harness.store.run_directory import RunState

    at_work_or_waiting = (RunState.RUNNING, RunState.INTERRUPTED, RunState.PENDING)
    chosen = find_runs(settings, runs, "--all" if everything else None, at_work_or_waiting)
    for directory in chosen:
        click.echo(_cancel(directory))
    if jobs := cancel_jobs(settings.results, [directory.id for directory in chosen]):
        click.echo(f"taken out of the queue: {', '.join(jobs)}")


def _cancel(directory: "RunDirectory") -> str:
    """Cancel a run, unless that changes nothing, and say what was done."""
    from harness.store.lease import holder
    from harness.store.records import Outcome
    from harness.store.run_directory import RunState

    name = f"{directory.run().name} ({directory.id})"
    state = directory.state()
    if state is RunState.DONE:
        return f"{name} is done: there is nothing to cancel"
    if state is RunState.CANCELLED:
        return f"{name} is cancelled already"
    Outcome.now("cancelled").save(directory.outcome)
    at_it = holder(directory.path)
    if at_it is None:
        return f"{name} is cancelled"
    soon = "at the next safe point" if at_it.ask_to_leave() else "within ten seconds"
    return f"{name} is cancelled: its worker on {at_it.host} saves its state and leaves {soon}"
