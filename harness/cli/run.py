"""`harness run`: makes up the difference between what should exist and what does."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings, execution_options, find_with_readings, selection_options

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable
    from datetime import datetime

    from harness.launch.local import Board
    from harness.launch.plan import PlannedRun


@click.command("run")
@selection_options
@click.option("--workers", type=click.IntRange(1), help="Runs side by side.  [default: one per GPU, else per core]")
@click.option("--fail-fast", is_flag=True, help="Stop everything at the first failed run.")
@execution_options
@click.option("--dry-run", "-n", is_flag=True, help="Print the plan and do nothing.")
@click.pass_obj
def run_command(
    settings: Settings,
    exhibits: tuple[str, ...],
    scale: str,
    seeds: int,
    rows: str | None,
    also: tuple[str, ...],
    workers: int | None,
    fail_fast: bool,
    loader: str,
    compile: str,
    dry_run: bool,
) -> int:
    """Train and evaluate every row of some tables and figures. Done work is kept; stopped work goes on where it was.

    \b
    Examples:
      python -m harness run table6
      python -m harness run table6 --seeds 3 --workers 4
      python -m harness run table6 --rows 'GenViT*' --dry-run
      python -m harness run table6 --scale paper --also samples=50000
    """
    from datetime import UTC, datetime

    from harness.cli.plan import describe, describe_costs
    from harness.launch.devices import default_workers
    from harness.launch.display import LiveDisplay, PlainDisplay
    from harness.launch.local import LocalExecutor
    from harness.launch.plan import costs, make_plan
    from harness.spec.execution import Execution

    plan = make_plan(find_with_readings(exhibits, also), scale, seeds, rows, settings.results)
    if dry_run:
        click.echo(describe(plan.to_json()))
        return 0
    todo = plan.unfinished()
    asked = "".join(f" --also {reading}" for reading in also)
    report = f"python -m harness report {' '.join(exhibits)} --scale {scale}{asked}"
    if not todo:
        settings.say(f"nothing to do: all {len(plan.runs)} runs are done at scale {scale}\n{report}")
        return 0
    settings.say(
        f"{len(todo)} {'run' if len(todo) == 1 else 'runs'} to do at scale {scale}: {describe_costs(costs(todo))}"
    )
    for planned in todo:
        planned.ask()
    execution = Execution(loader=loader, compile=compile)
    executor = LocalExecutor(settings.results, settings.data_root, workers or default_workers(), fail_fast, execution)
    begun = datetime.now(UTC)
    console = settings.console()
    display = LiveDisplay if console.is_terminal else PlainDisplay
    with display(console, len(plan.runs), len(plan.runs) - len(todo)) as shown:
        board = executor.execute(todo, shown.show)
    done = len(plan.runs) - len(todo) + len(board.done)
    for used, count in _loaders([*board.done.values(), *board.failed.values()], begun).items():
        settings.say(f"loader: {used}, {count} {'run' if count == 1 else 'runs'}")
    settings.say(f"{done} of {len(plan.runs)} runs are done at scale {scale}\n{report}")
    return _tell_failures(board)


def _loaders(runs: "Iterable[PlannedRun]", since: "datetime") -> "Counter[str]":
    """Count by what kept their training images the runs that were trained since then."""
    from collections import Counter

    from harness.store.files import StoreError

    found: Counter[str] = Counter()
    for planned in runs:
        with suppress(StoreError):
            segments = [segment for segment in planned.directory.all_segments() if segment.started >= since]
            found.update({segment.loader for segment in segments if segment.loader})
    return found


def _tell_failures(board: "Board") -> int:
    """Print one line per failed run on stderr and return the exit code."""
    for planned in board.failed.values():
        outcome = planned.directory.last_outcome()
        why = outcome.error if outcome and outcome.error else _died(planned, board.exit_codes.get(planned.run.id))
        click.echo(
            f"harness: {planned.run.name} ({planned.run.id}) failed: {why} (log: {planned.directory.log})",
            err=True,
        )
    return 1 if board.failed else 0


def _died(planned: "PlannedRun", exit_code: int | None) -> str:
    """Say how a worker ended that left no record."""
    if exit_code is not None and exit_code < 0:
        return f"the worker was killed by signal {-exit_code}; the same command goes on"
    lines = planned.directory.log.read_text(errors="replace").splitlines() if planned.directory.log.exists() else []
    return lines[-1] if lines else f"the worker left no record (exit code {exit_code})"
