"""Stale runs, measured with code other than the installed one: `run` names them, `run --stale` reruns them."""

from typing import TYPE_CHECKING

from harness.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.launch.plan import Plan, PlannedRun


def print_stale(settings: Settings, plan: "Plan") -> None:
    """Print which runs of a plan were measured with other code, and how to rerun them."""
    if stale := plan.stale():
        settings.echo(f"{_says(stale)}: the same command with --stale reruns {_them(stale)}")


def describe_stale(plan: "Plan") -> list[str]:
    """Return a line on the runs that would be rerun, if any."""
    stale = plan.stale()
    return [f"{_says(stale)}: to be set aside and rerun"] if stale else []


def supersede_stale(settings: Settings, plan: "Plan") -> None:
    """Set the stale runs of a plan aside, so that they are executed like new ones."""
    from harness.store.superseded import restore_requests, supersede

    stale = plan.stale()
    moved = [planned for planned in stale if supersede(settings.results, planned.directory)]
    for planned in plan.runs:
        restore_requests(settings.results, planned.run)
    if not stale:
        settings.echo("no run was measured with other code than the installed one")
    if moved:
        settings.echo(f"{_says(moved)}: set aside in {settings.results.superseded}")
    if held := [planned for planned in stale if planned not in moved]:
        settings.echo(f"{_says(held)} and skipped, because a worker is running {_them(held)}: 'cancel', then run again")


def _says(stale: "Sequence[PlannedRun]") -> str:
    from harness.store.code import describe_other_code

    return describe_other_code({planned.run.id: planned.stale for planned in stale})


def _them(stale: "Sequence[PlannedRun]") -> str:
    return "it" if len(stale) == 1 else "them"
