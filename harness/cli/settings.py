"""The global options, and functions that commands share."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.advice import command
from harness.cli import streams

if TYPE_CHECKING:
    from rich.console import Console

    from harness.cli.options import Selection
    from harness.launch.plan import Plan
    from harness.registry.exhibit import Exhibit
    from harness.registry.paper import Paper
    from harness.store.results import Results
    from harness.store.run_directory import RunDirectory, RunState

NO_RUNS = "no run given: give the beginnings of ids, which '{}' shows"


@dataclass(frozen=True)
class Settings:
    """The global options.

    `shown` are results to read instead of the user's own, `default_exhibits` the exhibits that these contain, None if
    unknown.
    """

    results_root: Path
    data_root: Path
    quiet: bool
    color: bool
    shown: "Results | None" = None
    default_exhibits: tuple[str, ...] | None = None

    @property
    def results(self) -> "Results":
        """The results directory."""
        from harness.store.results import Results

        return self.shown or Results(self.results_root)

    @property
    def downloads(self) -> Path:
        """The folder of downloaded original archives."""
        return self.data_root / "downloads"

    @property
    def accepted(self) -> Path:
        """The folder that records which original archives were accepted."""
        return self.data_root / ".accepted"

    def console(self) -> "Console":
        """Return the console for live displays."""
        from rich.console import Console

        return Console(file=streams.terminal(sys.stdout), no_color=not self.color or None, quiet=self.quiet)

    def echo(self, line: str) -> None:
        """Print a line that is not a result, unless quiet."""
        if not self.quiet:
            click.echo(line)


def find_for_rows(names: Sequence[str], also: Sequence[str], patterns: Sequence[str]) -> "list[tuple[Paper, Exhibit]]":
    """Return exhibits with the additional protocols of `--also`, for a command with the option `--rows`.

    If a name is that of a row, the error shows where it belongs. Raises `SpecError` for an unknown name, or a setting
    that no evaluation has.
    """
    import shlex

    from harness.errors import SpecError
    from harness.registry.papers import find_with_readings

    try:
        return find_with_readings(names, also)
    except SpecError:
        known: dict[str, list[Exhibit]] = {}
        for name in names:
            with suppress(SpecError):
                known[name] = [exhibit for _, exhibit in find_with_readings([name], ())]
        others = [name for name in names if name not in known]
        exhibits = [exhibit for found in known.values() for exhibit in found]
        if not others or not all(any(exhibit.select(name) for exhibit in exhibits) for name in others):
            raise
        options = [word for pattern in (*patterns, *others) for word in ("--rows", pattern)]
        meant = shlex.join([*known, *options])
        raise SpecError(f"unknown table or figure '{others[0]}', which is a row: did you mean {meant}") from None


def selected_plan(settings: Settings, selection: "Selection") -> "Plan":
    """Return the plan of the selected rows and seeds."""
    from harness.launch.plan import make_plan

    exhibits = find_for_rows(selection.exhibits, selection.also, selection.rows)
    return make_plan(exhibits, selection.scale, selection.seeds, selection.rows, settings.results)


def find_runs(
    settings: Settings, prefixes: Sequence[str], option: str | None, states: "Sequence[RunState]"
) -> "list[RunDirectory]":
    """Return the runs with these id prefixes, or with an `option` such as `--all` those in some states.

    Raises `SpecError` if neither or both are given, or if a prefix matches no run or several.
    """
    from harness.errors import SpecError
    from harness.store.files import StoreError

    if bool(prefixes) == bool(option):
        raise SpecError(
            f"{option} selects the runs already: leave out {prefixes[0]}"
            if option
            else NO_RUNS.format(command("status"))
        )
    if prefixes:
        return list({directory.id: directory for directory in map(settings.results.find, prefixes)}.values())
    found = []
    for directory in settings.results.all():
        try:
            directory.run()
            directory.check()
            if directory.state() in states:
                found.append(directory)
        except (StoreError, OSError) as error:
            settings.echo(f"skipped: {error}")
    return found


def print_json(document: Any) -> None:
    """Print a JSON document."""
    import json

    from harness.printable import json_printable

    click.echo(json_printable(json.dumps(document, indent=2, ensure_ascii=False)))
