"""Executes runs for `run` and `retry`, with a progress display, and reports failures."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from harness.cli.executors import ExecutorOptions
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from harness.config.execution import Execution
    from harness.launch.launchers import Launcher
    from harness.launch.local import ExecutorState
    from harness.launch.plan import PlannedRun


def execute(
    settings: Settings, todo: "Sequence[PlannedRun]", total: int, executor: ExecutorOptions, execution: "Execution"
) -> "ExecutorState":
    """Execute runs and print failures to stderr; `total` also counts runs that are done or skipped.

    Raises `SpecError` for incompatible options, before anything starts.
    """
    from datetime import UTC, datetime

    from harness.launch.display import LiveDisplay, PlainDisplay
    from harness.launch.forking import Forking
    from harness.launch.local import LocalExecutor
    from harness.store.lease import lease_from_the_future
    from harness.store.tidying import tidy

    launcher = executor.launcher(settings, execution, Forking)
    startable, unreadable = _requested(todo)
    for planned in startable:
        if problem := lease_from_the_future(planned.directory.path):
            click.echo(f"harness: {problem}", err=True)
    local = LocalExecutor(launcher, executor.workers or launcher.default_workers, executor.fail_fast)
    begun = datetime.now(UTC)
    console = settings.console()
    display = LiveDisplay if console.is_terminal else PlainDisplay
    with display(console, total, total - len(todo)) as shown:
        state = local.execute(startable, shown.show)
    for planned in state.done.values():
        tidy(planned.directory)
    for planned in unreadable:
        state.failed[planned.run.id] = planned
    for used, count in _loaders([*state.done.values(), *state.failed.values()], begun).items():
        settings.echo(f"loader: {used}, {count} {'run' if count == 1 else 'runs'}")
    _print_failures(state, launcher)
    print_cancelled(settings, list(state.cancelled.values()))
    return state


def print_cancelled(settings: Settings, runs: "Sequence[PlannedRun]") -> None:
    """Print that cancelled runs are skipped, and how to resume them."""
    if runs:
        from harness.launch.job_status import retry_commands

        what = "1 cancelled run is" if len(runs) == 1 else f"{len(runs)} cancelled runs are"
        commands = retry_commands(settings.results, [planned.run.id for planned in runs])
        settings.echo(f"{what} skipped: {'; '.join(commands)}")


def exit_code(state: "ExecutorState", done: int) -> int:
    """Return 1 if a run failed, or if runs were cancelled and none is `done`."""
    return 1 if state.failed or (state.cancelled and not done) else 0


def _requested(todo: "Sequence[PlannedRun]") -> "tuple[list[PlannedRun], list[PlannedRun]]":
    """Request runs, and return those that a worker may start and those whose directories it would refuse."""
    from harness.launch.plan import PlannedRun
    from harness.store.files import StoreError
    from harness.store.run_directory import RunState

    startable, unreadable = list[PlannedRun](), list[PlannedRun]()
    for planned in todo:
        try:
            planned.request()
        except StoreError:
            if planned.state is not RunState.UNREADABLE:
                raise
            unreadable.append(planned)
        else:
            startable.append(planned)
    return startable, unreadable


def _loaders(runs: "Iterable[PlannedRun]", since: "datetime") -> "Counter[str]":
    """Count the runs trained since a time by their loader."""
    from collections import Counter

    from harness.store.files import StoreError

    found: Counter[str] = Counter()
    for planned in runs:
        with suppress(StoreError):
            segments = [segment for segment in planned.directory.all_segments() if segment.started >= since]
            found.update({segment.loader for segment in segments if segment.loader})
    return found


def _print_failures(state: "ExecutorState", launcher: "Launcher") -> None:
    """Print one line per failed run on stderr."""
    for planned in state.failed.values():
        code = state.exit_codes.get(planned.run.id)
        why = _recorded_error(planned)
        why = why or (launcher.exit_reason(planned, code) if code is not None else "the worker left no record")
        click.echo(
            f"harness: {planned.run.name} ({planned.run.id}) failed: {why} (log: {planned.directory.log})",
            err=True,
        )


def _recorded_error(planned: "PlannedRun") -> str | None:
    """Return the error in a run's outcome, or the damage of the run directory."""
    from harness.store.files import StoreError

    try:
        planned.directory.check()
        outcome = planned.directory.last_outcome()
    except StoreError as error:
        return str(error)
    return outcome.error if outcome else None
