"""The live display of `run`: a table on a terminal, plain lines otherwise."""

import time
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.launch.local import ExecutorState
from harness.launch.plan import PlannedRun
from harness.printable import one_line
from harness.store.files import StoreError
from harness.store.records import Progress

PLAIN_LINE_SECONDS = 30.0


class LiveDisplay:
    """A live table of the runs on a terminal; finished runs stay listed."""

    def __init__(self, console: Console, total: int, already_done: int) -> None:
        self._console = console
        self._total = total
        self._already_done = already_done
        self._begun = time.monotonic()
        self._live = Live(console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def show(self, state: ExecutorState) -> None:
        """Draw the state of the executor."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("run", "state", "epoch", "progress", "rate", "time left"):
            table.add_column(heading, no_wrap=True)
        for planned in state.done.values():
            table.add_row(_text(planned.run.name), Text("done", "green"))
        for planned in state.failed.values():
            table.add_row(_text(planned.run.name), Text("failed", "red"))
        for planned in state.cancelled.values():
            table.add_row(_text(planned.run.name), Text("cancelled", "yellow"))
        for planned in state.active.values():
            self._add_active(table, planned, "")
        for planned in state.elsewhere.values():
            self._add_active(table, planned, " (another process)")
        for planned in state.waiting:
            table.add_row(_text(planned.run.name), Text("waiting", "dim"))
        finished = self._already_done + state.ended
        table.caption = f"{finished} of {self._total} runs, {clock(time.monotonic() - self._begun)} so far"
        table.caption_justify = "left"
        self._live.update(table)

    def _add_active(self, table: Table, planned: PlannedRun, where: str) -> None:
        progress = _progress_of(planned)
        if progress is None:
            table.add_row(_text(planned.run.name), _text(f"starting{where}", "cyan"))
            return
        epoch = f"{progress.epoch:.1f}/{progress.epochs}" if progress.epochs else ""
        rate = f"{progress.rate:.1f} it/s" if progress.rate else ""
        left = clock(progress.seconds_left) if progress.seconds_left is not None else ""
        bar = ProgressBar(total=max(progress.total, 1), completed=progress.step, width=20)
        table.add_row(_text(planned.run.name), _text(progress.phase + where, "cyan"), epoch, bar, rate, left)


class PlainDisplay:
    """Lines for logs and pipes: one per start or end of a run, and a summary twice a minute."""

    def __init__(self, console: Console, total: int, already_done: int) -> None:
        self._console = console
        self._total = total
        self._already_done = already_done
        self._printed: set[tuple[str, str]] = set()
        self._begun = self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def show(self, state: ExecutorState) -> None:
        """Print new events."""
        groups = {
            "started": state.active,
            "held by another process": state.elsewhere,
            "done": state.done,
            "failed": state.failed,
            "cancelled": state.cancelled,
        }
        finished = self._already_done + state.ended
        now = time.monotonic()
        for event, runs in groups.items():
            for id, planned in runs.items():
                if (id, event) not in self._printed:
                    self._printed.add((id, event))
                    self._print(f"[{finished}/{self._total}, {clock(now - self._begun)}] {planned.run.name}: {event}")
        if now - self._last >= PLAIN_LINE_SECONDS:
            self._last = now
            steps = [f"{p.run.name} {_where(p)}" for p in state.active.values()]
            self._print(f"[{finished}/{self._total}, {clock(now - self._begun)}] {'; '.join(steps)}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """Format a duration as hours, minutes and seconds, omitting leading zero parts."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _where(planned: PlannedRun) -> str:
    progress = _progress_of(planned)
    if progress is None:
        return "starting"
    return f"{progress.phase} {progress.step}/{progress.total}"


def _progress_of(planned: PlannedRun) -> Progress | None:
    try:
        return planned.directory.last_progress()
    except StoreError:
        return None


def _text(value: str, style: str = "") -> Text:
    """Return text from a run directory, in which nothing steers the terminal."""
    return Text(one_line(value), style)
