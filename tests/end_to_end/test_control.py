"""Runs that are cancelled, taken up again, followed and watched while they are at work."""

import json
import os
import pty
import subprocess
import sys
import time

import psutil
import pytest
from processes import checkpointed, finish, start, workers
from snapshots import snapshot
from toy_paper import DENOISING, HYBRID, LONG

from harness.store.records import Outcome
from harness.store.run_directory import Results, State

TABLE = "toy/table101"


def status(harness, results):
    return json.loads(harness("status", "--json", results=results).stdout)["totals"]


def test_a_cancelled_run_is_left_alone_and_the_others_go_on(toy_environment, harness, fresh_results, finished):
    """Cancel the one that waits for its turn; `retry` then takes it to the same end."""
    results = fresh_results()
    process = start(toy_environment, results, TABLE, "--workers", "1")
    checkpointed(process, results)
    assert "is cancelled\n" in harness("cancel", DENOISING.id[:8], results=results).stdout
    output = finish(process)
    assert f"1 cancelled run is left alone: python -m harness retry {DENOISING.id}" in output
    assert "1 of 2 runs are done" in output
    assert status(harness, results) == {"cancelled": 1, "done": 1}
    assert not (results / "runs" / DENOISING.id / "log.txt").exists()

    again = harness("run", TABLE, results=results)
    assert again.returncode == 0
    assert f"left alone: python -m harness retry {DENOISING.id}" in again.stdout
    assert "nothing to do: 1 of 2 runs are done" in again.stdout
    plan = json.loads(harness("plan", TABLE, "--json", results=results).stdout)
    assert {run["id"]: run["state"] for run in plan["runs"]} == {HYBRID.id: "done", DENOISING.id: "cancelled"}
    report = harness("report", TABLE, "--no-figures", "--format", "csv", results=results).stdout
    assert f"Cancelled: python -m harness retry {DENOISING.id}." in report

    assert "is cancelled already" in harness("cancel", DENOISING.id, results=results).stdout
    assert "there is nothing to cancel" in harness("cancel", HYBRID.id, results=results).stdout
    retried = harness("retry", DENOISING.id, HYBRID.id, results=results)
    assert retried.returncode == 0, retried.stderr
    assert f"({HYBRID.id}) is done" in retried.stdout
    assert "1 of 1 runs are done" in retried.stdout
    assert snapshot(results) == snapshot(finished[0])


def test_cancelling_a_run_at_work_saves_and_ends_its_worker(toy_environment, harness, fresh_results):
    """Alone in its command, it leaves nothing done: that is exit code 1. What it had reached is kept."""
    results = fresh_results()
    process = start(toy_environment, results, "toy/table102")
    checkpointed(process, results)
    (worker,) = workers(process)
    assert "saves its state and leaves at the next safe point" in harness("cancel", "--all", results=results).stdout
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted" not in output
    assert "0 of 1 runs are done" in output
    assert not psutil.pid_exists(worker.pid)
    assert status(harness, results) == {"cancelled": 1}
    assert harness("run", "toy/table102", results=results).returncode == 1

    process = start(toy_environment, results, LONG.id[:6], command="retry")
    while (results / "runs" / LONG.id / "outcome.json").exists():
        assert process.poll() is None
        time.sleep(0.02)
    followed = harness("logs", LONG.id, "--follow", "--lines", "1", results=results).stdout
    assert "1 of 1 runs are done" in finish(process)
    log = (results / "runs" / LONG.id / "log.txt").read_text()
    assert log.endswith(followed)
    assert "INFO training" in followed, "from where it was cancelled"
    assert followed.endswith("INFO done\n")
    assert len(list((results / "runs" / LONG.id / "segments").iterdir())) == 2
    assert harness("logs", LONG.id, "--lines", "2", results=results).stdout == "".join(log.splitlines(True)[-2:])
    assert harness("logs", LONG.id, "--lines", "9999", results=results).stdout == log


def test_a_worker_notices_the_mark_that_somebody_left_on_another_machine(toy_environment, fresh_results):
    """Without a signal: at its next heartbeat; at its start, at once."""
    results = fresh_results()
    run = HYBRID.but(epochs=1000)
    directory = Results(results).directory(run)
    directory.request(run, [])
    worker = start(toy_environment, results, run.id, command="worker")
    checkpointed(worker, results)
    Outcome.now("cancelled").save(directory.outcome)
    assert worker.wait(timeout=60) == 130
    assert directory.state() is State.CANCELLED
    assert start(toy_environment, results, run.id, command="worker").wait(timeout=60) == 130
    assert directory.state() is State.CANCELLED
    assert directory.log.read_text().endswith("INFO cancelled\n")
    assert len(directory.all_segments()) == 1


def test_failed_runs_are_retried(harness):
    assert harness("run", "toy/table103", "--rows", "Broken").returncode == 1
    retried = harness("retry", "--failed")
    assert retried.returncode == 1
    assert "failed: training diverged" in retried.stderr
    assert "0 of 1 runs are done" in retried.stdout


@pytest.mark.parametrize("terminal", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_watch_follows_the_runs_and_ends_with_them(toy_environment, harness, fresh_results, terminal):
    results = fresh_results()
    process = start(toy_environment, results, "toy/table102")
    checkpointed(process, results)
    command = [sys.executable, "-m", "harness", "--results", str(results), "status", "--watch"]
    if terminal:
        shown = on_a_terminal(command, toy_environment)
        assert "\x1b[2J" not in shown, "clearing the screen flickers"
        assert "━" in shown
    else:
        shown = subprocess.run([*command, "--json"], env=toy_environment, capture_output=True, text=True).stdout
        assert json.JSONDecoder().raw_decode(shown)[0]["totals"] == {"running": 1}
        shown = shown[shown.rindex("\n{\n") :] if "\n{\n" in shown else shown
        assert json.loads(shown)["totals"] == {"done": 1}
    finish(process)
    assert shown.count("done")


def on_a_terminal(command, environment):
    """Return what a command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=environment | {"TERM": "xterm", "LINES": "30"}, stdout=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (block := os.read(ours, 65536))
        except OSError:  # the other end is closed
            block = b""
        if not block:
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return shown.decode()
