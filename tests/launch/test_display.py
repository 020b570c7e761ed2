"""The live display of `run` and `status --watch`."""

import io

import pytest
from rich.console import Console

from harness.launch.display import LiveDisplay, PlainDisplay, clock
from harness.launch.local import ExecutorState
from harness.launch.plan import make_plan
from harness.launch.watching import StatusDisplay
from harness.registry.papers import find_exhibits
from harness.store.records import Progress
from harness.store.results import Results


@pytest.fixture
def state(tmp_path):
    runs = list(make_plan(find_exhibits(["table6"]), "laptop", 1, (), Results(tmp_path)).runs)
    for planned in runs:
        planned.request()
    active, elsewhere, done, failed, cancelled, *waiting = runs
    Progress(phase="training", step=402, total=1608, epochs=12, rate=20.0).save(active.directory.progress)
    parts = {"active": active, "elsewhere": elsewhere, "done": done, "failed": failed, "cancelled": cancelled}
    return ExecutorState(waiting=waiting, **{name: {planned.run.id: planned} for name, planned in parts.items()})


def test_a_terminal_shows_epoch_rate_and_time_left_of_every_run(state):
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=30, no_color=True)
    with LiveDisplay(console, 13, 0) as display:
        display.show(state)
        display._live.refresh()
        shown = console.file.getvalue()
    lines = {line.split("  ")[0].strip(): line for line in shown.splitlines()}
    assert "3.0/12" in shown
    assert "20.0 it/s" in shown
    assert "1:00" in shown
    assert "starting (another process)" in shown
    for word, group in (("done", state.done), ("failed", state.failed), ("cancelled", state.cancelled)):
        (planned,) = group.values()
        assert word in lines[planned.run.name]
    assert shown.count("waiting") == 8
    assert "3 of 13 runs" in shown


def test_a_pipe_gets_a_line_when_something_happens_and_not_twice(state):
    console = Console(file=io.StringIO(), width=200)
    with PlainDisplay(console, 13, 0) as display:
        display.show(state)
        display.show(state)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 5
    assert sum(line.endswith(": done") for line in lines) == 1


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.7, "1:00"), (3599, "59:59"), (3600, "1:00:00")])
def test_durations_read_like_a_clock(seconds, text):
    assert clock(seconds) == text


def test_a_watch_fits_the_terminal_and_counts_what_it_leaves_out():
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=10, no_color=True)
    runs = [{"phase": "training", "step": 50, "total": 100}] + [{"phase": None}] * 30
    states = ["running", *["cancelled"] * 30]
    lines = [{"run": f"r{i}", "state": state, "at": "training 50/100" * (i == 0)} for i, state in enumerate(states)]
    with StatusDisplay(console) as display:
        display.show(runs, lines, "31 runs: 30 cancelled, 1 running")
        frame = ["".join(part.text for part in line) for line in console.render_lines(display._live.renderable)]
    assert len(frame) < 10
    assert "━" * 10 in frame[1]
    assert "training 50/100" in frame[1]
    assert "... and 25 more" in frame[-2]
    assert "31 runs: 30 cancelled, 1 running" in frame[-1]
