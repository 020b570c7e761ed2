"""`harness status`: the runs of a results directory by state."""

import time
from typing import TYPE_CHECKING, Any

import click

from harness.cli.settings import Settings, json_option, print_json

if TYPE_CHECKING:
    from harness.store.run_directory import RunDirectory

WATCH_SECONDS = 2.0
ORDER = ("running", "unreadable", "failed", "interrupted", "pending", "missing", "done", "outdated")


@click.command("status")
@click.option("--watch", "-w", is_flag=True, help="Refresh until nothing runs any more, or Ctrl-C.")
@json_option
@click.pass_obj
def status_command(settings: Settings, watch: bool, as_json: bool) -> None:
    """Runs by state: progress, rate, time left, and why a run failed.

    \b
    Examples:
      python -m harness status
      python -m harness status --watch
    """
    while True:
        runs = sorted((_describe(directory) for directory in settings.results.all()), key=_urgency)
        if as_json:
            print_json({"runs": runs, "totals": _totals(runs)})
        else:
            if watch:
                click.clear()
            click.echo(_table(runs, settings))
        if not watch or not any(run["state"] == "running" for run in runs):
            return
        time.sleep(WATCH_SECONDS)


def _describe(directory: "RunDirectory") -> dict[str, Any]:
    """Return what a run's directory says; an unreadable one is reported as such, not hidden."""
    from harness.store.files import StoreError
    from harness.store.run_directory import OutdatedError

    try:
        progress, outcome, state = directory.last_progress(), directory.last_outcome(), directory.state()
        running = state == "running" and progress is not None
        return {
            "id": directory.id,
            "name": directory.run().name,
            "state": state.value,
            "phase": progress.phase if progress and running else None,
            "step": progress.step if progress else 0,
            "total": progress.total if progress else None,
            "rate": progress.rate if progress and running else None,
            "seconds_left": progress.seconds_left if progress and running else None,
            "seconds_spent": sum(segment.seconds for segment in directory.all_segments()),
            "error": outcome.error if outcome and state == "failed" else None,
        }
    except OutdatedError as error:
        return {"id": directory.id, "name": "?", "state": "outdated", "error": str(error)}
    except StoreError as error:
        return {"id": directory.id, "name": "?", "state": "unreadable", "error": str(error)}


def _urgency(run: dict[str, Any]) -> tuple[int, str]:
    """Put first what moves or needs attention."""
    return ORDER.index(run["state"]), run["name"]


def _totals(runs: list[dict[str, Any]]) -> dict[str, int]:
    return {state: sum(run["state"] == state for run in runs) for state in sorted({run["state"] for run in runs})}


def _table(runs: list[dict[str, Any]], settings: Settings) -> str:
    from tabulate import tabulate

    from harness.launch.display import clock

    if not runs:
        return f"no runs in {settings.results_root}: start some with 'python -m harness run table6'"
    lines = []
    for run in runs:
        at = f"{run['phase']} {run['step']}/{run['total']}" if run.get("phase") else ""
        rate = f"{run['rate']:.1f} it/s" if run.get("rate") else ""
        left = clock(run["seconds_left"]) if run.get("seconds_left") is not None else ""
        spent = clock(run["seconds_spent"]) if run.get("seconds_spent") else ""
        lines.append([run["name"], run["id"], run["state"], at, rate, left, spent, run["error"] or ""])
    headings = ["run", "id", "state", "at", "rate", "time left", "trained for", "error"]
    summary = ", ".join(f"{count} {state}" for state, count in _totals(runs).items())
    return f"{tabulate(lines, headings, disable_numparse=True)}\n\n{len(runs)} runs: {summary}"
