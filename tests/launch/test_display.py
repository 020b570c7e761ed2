"""What a user sees while runs are at work."""

import io

import pytest
from rich.console import Console

from harness.launch.display import LiveDisplay, PlainDisplay, clock
from harness.launch.local import Board
from harness.launch.plan import make_plan
from harness.spec.registry import find_exhibits
from harness.store.records import Progress
from harness.store.run_directory import Results


@pytest.fixture
def board(tmp_path):
    runs = list(make_plan(find_exhibits(["table6"]), "laptop", 1, None, Results(tmp_path)).runs)
    for planned in runs:
        planned.ask()
    active, elsewhere, done, failed, *waiting = runs
    Progress(phase="training", step=402, total=1608, epochs=12, rate=20.0).save(active.directory.progress)
    parts = {"active": active, "elsewhere": elsewhere, "done": done, "failed": failed}
    return Board(waiting=waiting, **{name: {planned.run.id: planned} for name, planned in parts.items()})


def test_a_terminal_shows_epoch_rate_and_time_left_of_every_run(board):
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=30, no_color=True)
    with LiveDisplay(console, 13, 0) as display:
        display.show(board)
        display._live.refresh()
        shown = console.file.getvalue()
    lines = {line.split("  ")[0].strip(): line for line in shown.splitlines()}
    assert "3.0/12" in shown
    assert "20.0 it/s" in shown
    assert "1:00" in shown
    assert "starting (another process)" in shown
    for planned, word in ((*board.done.values(), "done"), (*board.failed.values(), "failed")):
        assert word in lines[planned.run.name]
    assert shown.count("waiting") == 9
    assert "2 of 13 runs" in shown


def test_a_pipe_gets_a_line_when_something_happens_and_not_twice(board):
    console = Console(file=io.StringIO(), width=200)
    with PlainDisplay(console, 13, 0) as display:
        display.show(board)
        display.show(board)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 4
    assert sum(line.endswith(": done") for line in lines) == 1


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.7, "1:00"), (3599, "59:59"), (3600, "1:00:00")])
def test_durations_read_like_a_clock(seconds, text):
    assert clock(seconds) == text
