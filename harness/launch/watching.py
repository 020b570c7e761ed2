"""The live display of `status`: one line per run, redrawn in place."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.printable import one_line, printable

BAR_WIDTH = 20
OTHER_LINES = 4
"""Terminal lines used by the header, the count of hidden runs, the summary and the cursor."""
STYLES = {
    "running": "cyan",
    "done": "green",
    "failed": "red",
    "unreadable": "red",
    "cancelled": "yellow",
    "interrupted": "yellow",
}


class StatusDisplay:
    """A live table of a results directory on a terminal; the last state stays on the screen.

    A line maps headings to cells. Lines beyond the height of the terminal are only counted.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def show(self, runs: Sequence[Mapping[str, Any]], lines: Sequence[Mapping[str, str]], summary: str) -> None:
        """Draw the runs with the cells in `lines`."""
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for heading in lines[0] if lines else ():
            table.add_column(heading, no_wrap=True, overflow="ellipsis")
        room = max(self._console.height - OTHER_LINES, 1)
        for run, line in list(zip(runs, lines, strict=True))[:room]:
            table.add_row(*(_cell(heading, text, run) for heading, text in line.items()))
        hidden = f"... and {len(lines) - room} more\n" if len(lines) > room else ""
        table.caption = Text(printable(f"{hidden}{summary}"))
        table.caption_justify = "left"
        self._live.update(table, refresh=True)


def _cell(heading: str, text: str, run: Mapping[str, Any]) -> RenderableType:
    if heading == "state":
        return Text(one_line(text), STYLES.get(text, ""))
    if heading == "at" and run.get("phase"):
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(
            ProgressBar(total=max(run["total"], 1), completed=run["step"], width=BAR_WIDTH), Text(one_line(text))
        )
        return grid
    return Text(one_line(text))
