"""Hostile and damaged files of one run harm no command: one line names them, and the terminal is not steered."""

import json
import os
import shutil
import sys
import threading

import pytest

from harness.cli import streams
from harness.live.live_page import LivePage
from harness.printable import json_printable, one_line, printable
from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.store.results import Results

DAMAGED = ("config.json", "outcome.json", "segments/1.json", "training.json", "requests", "link")
HOSTILE = "a\x1b]0;owned\x07\u202e[/red]\x9b2J"


@pytest.fixture
def copied(finished, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(finished[0] / "runs", folder / "runs")
    return folder


@pytest.fixture
def unfinished(copied):
    """The two runs of the toy's first table, of which the first has a record less."""
    one, other = Results(copied).all()
    next(path for path in one.evaluations.iterdir() if path.suffix == ".json").unlink()
    one.outcome.unlink()
    return one, other


def test_steering_characters_are_shown():
    text = "tab\tline\nesc\x1b[2J\x07\r\x9b\u202e\ud800ä"
    assert printable(text) == "tab\tline\nesc\\x1b[2J\\x07\\x0d\\x9b\\u202e\\ud800ä"
    assert one_line("a\r\n b\x1b") == "a b\\x1b"
    document = json.dumps([text], ensure_ascii=False)
    assert json.loads(json_printable(document)) == [text] and printable(json_printable(document)) == json_printable(
        document
    )


def test_a_live_display_gets_the_terminal_and_nothing_else_does(monkeypatch):
    class Terminal:
        got = ""

        def isatty(self):
            return True

        def write(self, text):
            self.got += text
            return len(text)

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with streams.printing():
        print("\x1b", end="")
        assert sys.stdout is not terminal and streams.terminal(sys.stdout) is terminal
    assert sys.stdout is terminal and terminal.got == "\\x1b"


def test_no_command_prints_what_steers_a_terminal(harness, unfinished):
    one, _ = unfinished
    document = json.loads(one.config.read_text())
    one.config.write_text(json.dumps(document | {"name": HOSTILE}))
    one.outcome.write_text(json.dumps({"state": "failed", "finished": "2026-01-01T00:00:00Z", "error": HOSTILE}))
    with open(one.log, "a") as log:
        log.write(f"{HOSTILE}\r\n")
    commands = (
        ["status"], ["status", "--json"], ["logs", one.id], ["plan", "toy/table101"], ["list"], ["cancel", one.id],
        ["report", "toy/table101", "--no-figures", "--format", "csv"], ["run", f"toy/{HOSTILE}"], ["logs", HOSTILE],
    )  # fmt: skip
    shown = ""
    for command in commands:
        done = harness(*command)
        shown += done.stdout + done.stderr
        assert done.returncode in (0, 1, 2)
    assert not [char for char in shown if char in "\x1b\x07\x9b\u202e\r"]
    assert printable(HOSTILE) in shown
    assert json.loads(harness("status", "--json").stdout)["runs"][0]["name"] == HOSTILE


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name", ["config.json", "outcome.json", "segments/1.json", "training.json", "requests", "link"]
)
def test_one_damaged_run_is_unreadable_and_the_others_are_shown(harness, unfinished, tmp_path, name):
    one, other = unfinished
    path = one.path / name
    if name == "link":
        path = one.evaluations / "generation-0123abcd"
        path.symlink_to(tmp_path)
    elif name == "requests":
        path = path / "generation-0123abcd.json"
        os.mkfifo(path)
    else:
        path.write_text('{"seconds": 1e999}')
    runs = {run["id"]: run for run in json.loads(harness("status", "--json").stdout)["runs"]}
    assert runs[one.id]["state"] == "unreadable" and str(path) in runs[one.id]["error"]
    assert runs[other.id]["state"] == "done"
    plan = {run["id"]: run["state"] for run in json.loads(harness("plan", "toy/table101", "--json").stdout)["runs"]}
    assert plan == {one.id: "unreadable", other.id: "done"}
    dry = harness("run", "toy/table101", "-n")
    assert dry.returncode == 0 and "unreadable" in dry.stdout
    assert harness("report", "toy/table101", "--no-figures", "--format", "csv").returncode == 0
    cancelled = harness("cancel", one.id)
    assert cancelled.returncode == 1 and cancelled.stderr.count("\n") == 1 and str(path) in cancelled.stderr


def test_the_live_page_outlives_any_error_and_recovers(copied):
    (paper, exhibit), *_ = find_exhibits(["toy/table101"])
    broken = False

    def reports():
        if broken:
            raise RecursionError("deep\x1b")
        return [build(paper, exhibit, paper.scale("laptop"), Results(copied))]

    page = LivePage(reports, Results(copied), plot=False)
    one = Results(copied).all()[0]
    broken = True
    one.training.touch()
    page._refresh()
    assert page.state["problem"] == "RecursionError: deep\\x1b"
    broken = False
    page._refresh()
    assert page.state["problem"] is None
    stop = threading.Event()
    stop.set()
    page.follow(stop)


def test_a_report_never_writes_into_a_bundle(harness, copied, tmp_path):
    bundle = tmp_path / "mine" / "reference"
    report = ["report", "toy/table101", "--no-figures", "--format", "csv"]
    assert harness(*report, "--bundle", bundle, results=copied).returncode == 0
    before = set(bundle.rglob("*"))
    assert harness(*report, results=bundle).returncode == 0
    assert set(bundle.rglob("*")) == before
    assert (tmp_path / "mine/report/reference/toy/table101.csv").exists()
    (bundle / "report/toy").mkdir(parents=True)
    (bundle / "report/toy/table101.csv").touch()
    (bundle / ".DS_Store").touch()
    assert harness("report", "--from", bundle, "toy/table101", "--no-figures", "--format", "csv").returncode == 0
    assert harness("compare", copied, bundle, "toy/table101").returncode == 0
