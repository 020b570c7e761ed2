"""Three ways to call commands in tests: in this process, in a warm fork, and in a new process."""

import json
import logging
import os
import re
import signal
import subprocess
import sys

import pytest
import warm
from distributions import install, on_path
from processes import finish, start
from snapshots import snapshot

LINES = [
    ["--version"],
    ["status"],
    ["list", "--json"],
    ["plan", "toy/table101"],
    ["report", "toy/table101", "--json"],
    ["worker", "0"],
    ["show", "tabel6"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_all_print_the_same_and_end_alike(harness, tmp_path, line):
    ways = [way(*line, cwd=tmp_path) for way in (harness, harness.warm, harness.process)]
    assert len({(done.returncode, done.stdout, done.stderr) for done in ways}) == 1, ways
    assert ways[0].stdout or ways[0].stderr


def test_a_call_in_this_process_leaves_it_as_it_was(finished, harness, tmp_path):
    def state():
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)]
        return dict(os.environ), os.getcwd(), list(sys.path), logging.getLogger("harness").handlers[:], handlers

    before = state()
    done = harness("report", "toy/table101", "--no-figures", results=finished[0], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert state() == before


@pytest.mark.parametrize("line", [["list"], ["show", "brewed"]], ids=" ".join)
def test_a_fork_finds_what_is_installed_elsewhere_like_a_process(toy_environment, harness, tmp_path, line):
    install(tmp_path / "site", "brew", {"brewed.py": "raise SystemExit('boiled over')\n"}, papers=["brewed = brewed:A"])
    environment = on_path(toy_environment, tmp_path / "site")
    here, there = (way(*line, env=environment, cwd=tmp_path) for way in (harness.warm, harness.process))
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)
    assert "boiled over" in here.stderr


def test_a_forked_worker_leaves_the_same_files_as_a_process(toy_environment, fresh_results, finished):
    results = fresh_results()
    printed = finish(start(toy_environment, results, "toy/table101", "--workers", "1"))
    ends = [re.sub(r"--results \S+ ", "", said).splitlines()[-2:] for said in (printed, finished[1].stdout)]
    assert ends[0] == ends[1]
    assert snapshot(results) == snapshot(finished[0])
    for run in (results / "runs").iterdir():
        other = finished[0] / "runs" / run.name
        assert {path.name for path in run.iterdir()} == {path.name for path in other.iterdir()}
        logs = [[line.split()[2:5] for line in (path / "log.txt").open()] for path in (run, other)]
        assert logs[0] == logs[1]
        stays = [json.loads((path / "segments" / "1.json").read_text()) for path in (run, other)]
        assert timeless(stays[0]) == timeless(stays[1])


def timeless(stay):
    """Return a segment without times, and without the hashes of records, which contain times."""
    timed = ("started", "evaluations", "records")
    return {k: v for k, v in stay.items() if k not in timed and not k.endswith("seconds")}


def test_a_fork_that_lasts_too_long_is_ended(toy_environment, tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        warm.call(toy_environment, ["--results", str(tmp_path), "report", "toy/table101", "--serve"], timeout=0.5)


def test_what_was_read_at_import_cannot_be_changed_in_a_fork(toy_environment):
    with pytest.raises(AssertionError, match="OMP_NUM_THREADS is read at import: start a process"):
        warm.call(toy_environment | {"OMP_NUM_THREADS": "7"}, ["status"])
