"""Progress of long preparations: bars on a terminal, lines in logs and pipes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from harness.data.prepared.blocks import Report

PLAIN_LINE_SECONDS = 30.0


@contextmanager
def progress(console: Console) -> "Iterator[Report]":
    """Yield a function that shows progress while the context is open."""
    if not console.is_terminal:
        yield _Lines(console).show
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars).show


class _Bars:
    """One bar per task."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, what: str, done: int, total: int) -> None:
        """Move a bar."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total or None)
        self._bars.update(self._tasks[what], completed=done)


class _Lines:
    """One line when a task begins, when it ends, and twice a minute in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, float] = {}

    def show(self, what: str, done: int, total: int) -> None:
        """Print a line if one is due."""
        now = time.monotonic()
        if what in self._last and now - self._last[what] < PLAIN_LINE_SECONDS and not done == total > 0:
            return
        self._last[what] = now
        share = f": {100 * done // total} %" if total else ""
        self._console.print(f"{what}{share}", markup=False, highlight=False, soft_wrap=True)
