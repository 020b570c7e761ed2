"""`harness status`: shows the runs of a results directory by state."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from harness.advice import DEFAULT_SCALE, command
from harness.cli.options import json_option
from harness.cli.settings import Settings, print_json
from harness.cli.streams import reader_left
from harness.exit_codes import ExitCode

if TYPE_CHECKING:
    from harness.launch.slurm import JobStatus
    from harness.store.run_directory import RunDirectory
    from harness.store.usage import Usage

Runs = list[dict[str, Any]]

WATCH_SECONDS = 2.0
FIRST = "table6"
"""The table that a first run is advised of, and the default scale."""
ORDER = (
    "running", "unreadable", "failed", "interrupted", "pending", "missing", "cancelled", "done", "foreign", "outdated",
)  # fmt: skip
AT_WORK = ("queued", "running", "silent")
"""States of an unfinished job; `silent` is a scheduler that does not respond and may still have it queued."""


@click.command("status")
@click.option("--watch", "-w", is_flag=True, help="Refresh until nothing is running or queued, or Ctrl-C.")
@json_option
@click.pass_obj
def status_command(settings: Settings, watch: bool, as_json: bool) -> int:
    """Show runs by state, with progress, time left and errors. Submitted runs have the scheduler's state too.

    \b
    Examples:
      python -m harness status
      python -m harness status --watch
    """
    if not watch:
        _printer(settings, as_json)(_describe_all(settings))
        return 0
    console = settings.console()
    if as_json or settings.quiet or not console.is_terminal or not settings.results.all():
        return _watch(settings, _printer(settings, as_json))
    from harness.launch.watching import StatusDisplay

    with StatusDisplay(console) as display:
        return _watch(settings, lambda runs: display.show(runs, _lines(runs), _summary(runs)))


def _watch(settings: Settings, show: Callable[[Runs], None]) -> int:
    """Refresh the runs while any is running or queued, or until Ctrl-C."""
    try:
        while True:
            runs = _describe_all(settings)
            show(runs)
            active = any(run["state"] == "running" or (run["job"] or {}).get("state") in AT_WORK for run in runs)
            if not active or reader_left():
                return 0
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _printer(settings: Settings, as_json: bool) -> Callable[[Runs], None]:
    """Return a function that prints the runs once, as JSON or as a table."""
    if as_json:
        return lambda runs: print_json({"runs": runs, "totals": _totals(runs), "spent": _spent(runs).to_json()})
    return lambda runs: click.echo(_table(runs, settings))


def _describe_all(settings: Settings) -> Runs:
    """Return the status of every run from its directory and from the scheduler, which is queried once."""
    from harness.launch.job_status import job_statuses

    jobs = job_statuses(settings.results)
    return sorted((_describe(directory, jobs.get(directory.id)) for directory in settings.results.all()), key=_urgency)


def _lease_problem(directory: "RunDirectory", state: str) -> str | None:
    from harness.store.lease import lease_from_the_future

    return None if state == "done" else lease_from_the_future(directory.path)


def _describe(directory: "RunDirectory", job: "JobStatus | None") -> dict[str, Any]:
    """Return the status of a run from its directory; an unreadable run has the state `unreadable`."""
    from harness.store.code import other_code
    from harness.store.files import StoreError
    from harness.store.requests import ForeignError, OutdatedError
    from harness.store.usage import Usage

    said = {"id": job.job_id, "state": str(job.state), "reason": job.reason} if job is not None else None
    try:
        state = directory.readable_state()
        progress, outcome = directory.last_progress(), directory.last_outcome()
        running = state == "running" and progress is not None
        segments = directory.all_segments()
        return {
            "id": directory.id,
            "name": directory.run().name,
            "state": state.value,
            "phase": progress.phase if progress and running else None,
            "step": progress.step if progress else 0,
            "total": progress.total if progress else None,
            "rate": progress.rate if progress and running else None,
            "seconds_left": progress.seconds_left if progress and running else None,
            "seconds_spent": sum(segment.seconds for segment in segments),
            "spent": Usage.of(segments).to_json(),
            "error": outcome.error if outcome and state == "failed" else _lease_problem(directory, state),
            "stale": list(other_code(segments)),
            "job": said,
        }
    except ForeignError as error:
        return {"id": directory.id, "name": "?", "state": "foreign", "error": str(error), "job": said}
    except OutdatedError as error:
        return {"id": directory.id, "name": "?", "state": "outdated", "error": str(error), "job": said}
    except (StoreError, OSError) as error:
        return {"id": directory.id, "name": "?", "state": "unreadable", "error": str(error), "job": said}


def _urgency(run: dict[str, Any]) -> tuple[int, str]:
    """Sort key: runs that are running or need attention first."""
    return ORDER.index(run["state"]), run["name"]


def _totals(runs: Runs) -> dict[str, int]:
    return {state: sum(run["state"] == state for run in runs) for state in sorted({run["state"] for run in runs})}


def _spent(runs: Runs) -> "Usage":
    """Return the cost of all readable runs."""
    from harness.store.usage import Usage

    return Usage.sum(Usage(**run["spent"]) for run in runs if "spent" in run)


def _summary(runs: Runs) -> str:
    from harness.store.code import describe_other_code

    states = ", ".join(f"{count} {state}" for state, count in _totals(runs).items())
    counted = f"{len(runs)} runs: {states}; spent: {str(_spent(runs)) or 'nothing yet'}"
    stale = describe_other_code({run["id"]: run["stale"] for run in runs if run.get("stale")})
    return f"{counted}\n{stale}: 'run TABLE|FIGURE --stale' reruns them" if stale else counted


def _table(runs: Runs, settings: Settings) -> str:
    from tabulate import tabulate

    if not runs:
        return f"no runs in {settings.results_root}: {_start(settings)}"
    return f"{tabulate(_lines(runs), headers='keys', disable_numparse=True)}\n\n{_summary(runs)}"


def _start(settings: Settings) -> str:
    """Return how to start some runs, with their time if the reference results tell it."""
    from harness.cli.reference_times import ReferenceTimes
    from harness.errors import HarnessError
    from harness.registry.papers import find_exhibits
    from harness.store.usage import about

    start = f"start some with '{command(f'run {FIRST}')}'"
    times = ReferenceTimes(settings, DEFAULT_SCALE)
    try:
        ((paper, exhibit),) = find_exhibits([FIRST])
        seconds = times.of(paper, exhibit).seconds
    except HarnessError:  # the default paper has no such table, or cannot be used
        return start
    if seconds is None:
        return start
    by = f"by the reference results, measured on {', '.join(times.devices)}, which '{command('report')}' shows"
    return f"{start}, {about(seconds)} here\n({by})"


def _lines(runs: Runs) -> list[dict[str, str]]:
    """Return the table cells of every run by heading."""
    from harness.launch.display import clock
    from harness.printable import one_line
    from harness.store.usage import Usage

    lines = []
    submitted, stale = any(run["job"] for run in runs), any(run.get("stale") for run in runs)
    for run in runs:
        at = f"{run['phase']} {run['step']}/{run['total']}" if run.get("phase") else ""
        line = {
            "run": run["name"],
            "id": run["id"],
            "state": run["state"],
            "at": at,
            "rate": f"{run['rate']:.1f} it/s" if run.get("rate") else "",
            "time left": clock(run["seconds_left"]) if run.get("seconds_left") is not None else "",
            "spent": str(Usage(**run["spent"])) if "spent" in run else "",
            "error": run["error"] or "",
        }
        line = {heading: one_line(text) for heading, text in line.items()}
        line |= {"other code of": ", ".join(run.get("stale", ()))} if stale else {}
        lines.append(line | {"job": _job(run)} if submitted else line)
    return lines


def _job(run: dict[str, Any]) -> str:
    job = run["job"]
    if job is None:
        return ""
    return f"{job['id']} {job['state']}" + (f" ({job['reason']})" if job["reason"] else "")
