"""Runs whose workers are forked: the same files as with new processes, and a server that does not grow."""

import json
import re
import shutil
import sys
import time

import psutil
import pytest
from distributions import install, on_path
from processes import finish, start, workers
from snapshots import snapshot

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers are new processes elsewhere")
SERVER = "harness.cli.fork_server"
SOAK_RUNS = 500
SETTLED_RUNS = 20
"""Runs after which the server has its final size."""
MEBIBYTE = 2**20


@pytest.fixture
def points(toy_environment, tmp_path):
    """An environment with a paper of tiny runs, which defines its own kinds."""
    install(tmp_path / "site", "points-paper", {}, papers=["points = points_paper:PAPER"])
    return on_path(toy_environment, tmp_path / "site")


def test_forked_workers_leave_the_same_files_as_new_processes(points, harness, tmp_path):
    results, again = tmp_path / "results", tmp_path / "again"
    finish(start(points, results, "points", "--seeds", "2"))
    for run in results.glob("runs/*"):
        (again / "runs" / run.name).mkdir(parents=True)
        shutil.copy(run / "config.json", again / "runs" / run.name)
        shutil.copytree(run / "requests", again / "runs" / run.name / "requests")
        done = harness.process("worker", run.name, results=again, env=points)
        assert done.returncode == 0, done.stderr
    assert snapshot(results) == snapshot(again)
    for run in results.glob("runs/*"):
        other = again / "runs" / run.name
        assert {path.name for path in run.iterdir()} == {path.name for path in other.iterdir()}
        assert said(run) == said(other)
        assert segment(run) == segment(other)


def said(run):
    """Return the log of a run without its times."""
    return [re.sub(r"^\S+ \S+ ", "", line) for line in (run / "log.txt").open()]


def segment(run):
    """Return the segment of a run without times, and without the hashes of records, which contain times."""
    found = json.loads((run / "segments" / "1.json").read_text())
    timed = ("started", "evaluations", "records")
    return {key: value for key, value in found.items() if key not in timed and not key.endswith("seconds")}


def test_workers_have_the_command_line_of_new_processes(points, tmp_path):
    command = start(points, tmp_path / "results", "points", "--workers", "1")
    seen = []
    while not seen and command.poll() is None:
        seen = [worker.cmdline() for worker in workers(command)]
    finish(command)
    (run,) = (tmp_path / "results" / "runs").iterdir()
    assert seen[0][:3] == [sys.executable, "-m", "harness"]
    assert seen[0][seen[0].index("worker") + 1] == run.name


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_the_server_of_many_runs_does_not_grow(points, tmp_path):
    command = start(points, tmp_path / "results", "points", "--seeds", str(SOAK_RUNS), "--workers", "2")
    sizes = []
    while command.poll() is None:
        done = len(list((tmp_path / "results").glob("runs/*/outcome.json")))
        if (server := server_of(command)) is not None:
            memory = server.memory_full_info()
            sizes.append((done, memory.rss / MEBIBYTE, memory.uss / MEBIBYTE, server.num_fds()))
        time.sleep(1)
    finish(command, timeout=60)
    settled = [size for size in sizes if size[0] >= SETTLED_RUNS]
    for runs, rss, uss, files in (settled[0], settled[len(settled) // 2], settled[-1]):
        print(f"after {runs} runs: {rss:.1f} MiB resident, {uss:.1f} MiB its own, {files} open files")
    (_, first, _, opened), (_, last, _, open_at_last) = settled[0], settled[-1]
    assert settled[-1][0] > SOAK_RUNS * 0.9
    assert last - first < 2
    assert open_at_last <= opened + 2


def server_of(command):
    """Return the fork server of a command, None if there is none."""
    try:
        found = [child for child in psutil.Process(command.pid).children() if SERVER in child.cmdline()]
    except psutil.Error:
        return None
    return found[0] if found else None
