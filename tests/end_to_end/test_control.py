"""Runs that are cancelled, retried, followed and watched while they run."""

import json
import os
import pty
import subprocess
import sys

import psutil
import pytest
import warm
from processes import finish, held, start
from progress import share_shown
from snapshots import snapshot
from toy_paper import DENOISING, HYBRID, LONG

from harness.store.records import Outcome
from harness.store.results import Results
from harness.store.run_directory import RunState

TABLE = "toy/table101"


def status(harness, results):
    return json.loads(harness("status", "--json", results=results).stdout)["totals"]


def test_a_cancelled_run_is_left_alone_and_the_others_go_on(toy_environment, harness, fresh_results, finished):
    """Cancel the run that waits for its turn; `retry` then gives the same final state."""
    results = fresh_results()
    process = start(toy_environment, results, TABLE, "--workers", "1")
    with held(process, results):
        assert "is cancelled\n" in harness("cancel", DENOISING.id[:8], results=results).stdout
    output = finish(process)
    assert f"1 cancelled run is skipped: python -m harness --results {results} retry {DENOISING.id}" in output
    assert "1 of 2 runs are done" in output
    assert status(harness, results) == {"cancelled": 1, "done": 1}
    assert not (results / "runs" / DENOISING.id / "log.txt").exists()

    again = harness("run", TABLE, results=results)
    assert again.returncode == 0
    assert f"skipped: python -m harness --results {results} retry {DENOISING.id}" in again.stdout
    assert "nothing to do: 1 of 2 runs are done" in again.stdout
    plan = json.loads(harness("plan", TABLE, "--json", results=results).stdout)
    assert {run["id"]: run["state"] for run in plan["runs"]} == {HYBRID.id: "done", DENOISING.id: "cancelled"}
    report = harness("report", TABLE, "--no-figures", "--format", "csv", results=results).stdout
    advice = f"Cancelled: python -m harness --results {results} retry {DENOISING.id}."
    assert "".join(advice.split()) in "".join(report.split())  # paths are broken at the end of a line

    assert "is already cancelled" in harness("cancel", DENOISING.id, results=results).stdout
    assert "nothing to cancel" in harness("cancel", HYBRID.id, results=results).stdout
    retried = harness.warm("retry", DENOISING.id, HYBRID.id, results=results)
    assert retried.returncode == 0, retried.stderr
    assert f"({HYBRID.id}) is done" in retried.stdout
    assert "1 of 1 runs are done" in retried.stdout
    assert snapshot(results) == snapshot(finished[0])


def test_cancelling_a_run_at_work_saves_and_ends_its_worker(toy_environment, harness, fresh_results):
    """No run of the command is done, hence exit code 1. The progress made so far is kept."""
    results = fresh_results()
    process = start(toy_environment, results, "toy/table102")
    with held(process, results) as workers:
        (worker,) = workers.values()
        assert "saves its state and stops at the next safe point" in harness("cancel", "--all", results=results).stdout
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "interrupted" not in output
    assert "0 of 1 runs are done" in output
    assert not psutil.pid_exists(worker.pid)
    assert status(harness, results) == {"cancelled": 1}
    assert harness("run", "toy/table102", results=results).returncode == 1

    process = start(toy_environment, results, LONG.id[:6], command="retry")
    with held(process, results, is_taken_up_again):
        follower = start(toy_environment, results, LONG.id, "--follow", "--lines", "1", command="logs")
        followed = follower.stdout.readline()
    assert "1 of 1 runs are done" in finish(process)
    followed += follower.stdout.read()
    assert follower.wait(timeout=60) == 0
    log = (results / "runs" / LONG.id / "log.txt").read_text()
    assert log.endswith(followed)
    assert "INFO training" in followed, "from where it was cancelled"
    assert followed.endswith("INFO done\n")
    assert len(list((results / "runs" / LONG.id / "segments").iterdir())) == 2
    assert harness("logs", LONG.id, "--lines", "2", results=results).stdout == "".join(log.splitlines(True)[-2:])
    assert harness("logs", LONG.id, "--lines", "9999", results=results).stdout == log


def is_taken_up_again(run):
    """Whether a cancelled run has a new worker that has not started training."""
    return not (run / "outcome.json").exists() and (run / "log.txt").read_text().count("INFO training") == 1


HASTY = (
    "import sys; from harness.store import lease; from harness.cli.main import main; "
    "lease.HEARTBEAT_SECONDS = 0.2; sys.exit(main())"
)


def test_a_worker_notices_the_mark_that_somebody_left_on_another_machine(toy_environment, fresh_results):
    """Without a signal: at its next heartbeat, which this test makes frequent; at its start, immediately."""
    results = fresh_results()
    run = HYBRID.but(epochs=1000)
    directory = Results(results).directory(run)
    directory.request(run, [])
    line = ["--results", str(results), "worker", run.id]
    worker = subprocess.Popen([sys.executable, "-c", HASTY, *line], env=toy_environment, stdout=subprocess.PIPE)
    try:
        with held(worker, results):
            Outcome.now("cancelled").save(directory.outcome)
        assert worker.wait(timeout=60) == 130
    finally:
        worker.kill()
        worker.communicate()
    assert directory.state() is RunState.CANCELLED
    assert warm.call(toy_environment, line).returncode == 130
    assert directory.state() is RunState.CANCELLED
    assert directory.log.read_text().endswith("INFO cancelled\n")
    assert len(directory.all_segments()) == 1


def test_failed_runs_are_retried(harness):
    assert harness.warm("run", "toy/table103", "--rows", "Broken").returncode == 1
    retried = harness.warm("retry", "--failed")
    assert retried.returncode == 1
    assert "failed: training diverged" in retried.stderr
    assert "0 of 1 runs are done" in retried.stdout


@pytest.mark.parametrize("terminal", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_watch_follows_the_runs_and_ends_with_them(toy_environment, tmp_path, terminal):
    """The run continues after the watch has shown it. Without a trained feature space the evaluations take a while."""
    results = tmp_path / "results"
    process = start(toy_environment, results, "toy/table102")
    with held(process, results, lambda run: share_shown(run) > 0.2):
        watch = OnATerminal(toy_environment, results) if terminal else InAPipe(toy_environment, results, "--json")
        first = watch.up_to("1 running" if terminal else '"running": 1')
    finish(process)
    last = watch.rest()
    if terminal:
        assert "\x1b[2J" not in first + last, "clearing the screen flickers"
        assert "━" in first
        assert "1 done" in last
    else:
        assert json.JSONDecoder().raw_decode(first + last)[0]["totals"] == {"running": 1}
        assert json.loads(last[last.rindex("\n{\n") :])["totals"] == {"done": 1}


class InAPipe:
    """A `status --watch` whose output so far can be read."""

    ends = staticmethod(os.pipe)

    def __init__(self, environment, results, *options):
        self._ours, theirs = self.ends()
        command = [sys.executable, "-m", "harness", "--results", str(results), "status", "--watch", *options]
        self._process = subprocess.Popen(command, env=environment | {"TERM": "xterm", "LINES": "30"}, stdout=theirs)
        os.close(theirs)

    def up_to(self, words):
        """Return the output up to the given words."""
        shown = b""
        while words.encode() not in shown:
            block = self._read()
            assert block, f"the watch ended without showing '{words}': {shown.decode()}"
            shown += block
        return shown.decode(errors="replace")

    def rest(self):
        """Return the output until it ends."""
        shown = b"".join(iter(self._read, b""))
        os.close(self._ours)
        assert self._process.wait(timeout=30) == 0
        return shown.decode(errors="replace")

    def _read(self):
        try:
            return os.read(self._ours, 65536)
        except OSError:  # of a terminal whose other end is closed
            return b""


class OnATerminal(InAPipe):
    """The same on a pseudo-terminal."""

    ends = staticmethod(pty.openpty)
