"""Workers evicted before their run makes progress: a distinct exit code, and a bounded number of restarts."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from processes import finish
from submissions import ended, log, of, until
from toy_paper import DENOISING

from harness.launch.plan import PlannedRun
from harness.launch.slurm.manifest import Task, log_path
from harness.launch.slurm.queue import look
from harness.launch.slurm.scheduler import JobState, Scheduler
from harness.launch.slurm.task import run_side_by_side

AT_ONCE = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
os.kill(os.getpid(), signal.SIGUSR2)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Runs Python with a pending SIGUSR2, which is blocked at start-up."""


@pytest.fixture
def task(results, planned, submitted, toy_environment, data_root):
    """Start a task of an array as its batch script does."""
    for path in planned.directory.requests.iterdir():
        if not path.name.startswith("accuracy"):
            path.unlink()
    submission = submitted(planned.run, data=str(data_root))
    manifest = results.root / "submissions" / submission.id / "manifest.json"
    environment = toy_environment | {"SLURM_ARRAY_TASK_ID": "0"}

    def start(*before):
        line = [sys.executable, *before, "-m", "harness", "--results", str(results.root), "--data", str(data_root)]
        line += ["worker-task", "--manifest", str(manifest), "--array", submission.arrays[0].name]
        return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    start.submission = submission
    return start


def evicted_at_once(task):
    process = task("-c", AT_ONCE)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def unmeasure(results):
    """Delete the measurements of all runs, which remain trained."""
    for path in results.glob("runs/*/evaluations/*"):
        path.unlink() if path.is_file() else shutil.rmtree(path)


def test_an_eviction_before_any_progress_has_an_exit_code_of_its_own(task, results):
    code, output = evicted_at_once(task)
    assert code == 75, f"the step in progress is completed and saved: {output}"
    output = finish(task())
    unmeasure(results.root)
    assert evicted_at_once(task)[0] == 77
    assert not list(results.runs.glob("*/evaluations/*.json"))


def test_of_runs_side_by_side_one_has_to_make_progress(task, results, planned, toy_environment, monkeypatch):
    for name, value in toy_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("harness.launch.local.POLL_SECONDS", 0.01)  # the runs are soon over
    other = PlannedRun(DENOISING, results.directory(DENOISING), None, [], {})
    other.request()
    both = Task(runs=(planned.run.id, other.run.id))

    def leave_when(condition):
        def show(board):
            if condition():
                os.kill(os.getpid(), signal.SIGUSR2)

        return run_side_by_side(results, task.submission, both, show)

    assert leave_when(lambda: True) == 77
    assert leave_when(lambda: list(results.root.glob("runs/*/checkpoints/*.json"))) == 75
    assert leave_when(lambda: True) == 77


def test_the_log_shows_the_last_segment(submitted, planned, results):
    submission = submitted(planned.run)
    scheduler = Scheduler(0, lambda command: "7_0|FAILED|node1|h|NonZeroExitCode\n" if command[0] == "squeue" else "")
    log = log_path(results, submission.id)
    lines = [
        "t job 7_0 on a: exit code 77, was evicted before it made progress, restart 1",
        "t job 7_0 on a: exit code 137, restart 2",
        "t job 7_1 on a: exit code 77, was evicted before it made progress, no restart",
    ]
    log.write_text("\n".join(lines))
    assert look(results, scheduler, [planned.run.id]).job(planned.run.id).state is JobState.FAILED
    log.write_text("\n".join([*lines, lines[0].replace("restart 1", "no restart")]))
    assert look(results, scheduler, [planned.run.id]).job(planned.run.id).state is JobState.STALLED


def test_a_run_without_progress_gets_more_time_until_attempts_run_out(
    submit, cluster, profile, fresh_results, finished, tmp_path
):
    """Every worker is evicted immediately, as under a time limit that is too short for an evaluation."""
    results = fresh_results()
    shutil.copytree(finished[0] / "runs", results / "runs")
    unmeasure(results)
    early, python = tmp_path / "early.py", tmp_path / "python"
    early.write_text(AT_ONCE)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{early}" "$@"\n')
    python.chmod(0o700)
    settings = profile(f'python = "{python}"\nmax_restarts = 0\nmax_attempts = 2')
    done = submit(results, "toy/table101", "--rows", "Denoising", profile=settings)
    assert done.returncode == 0, done.stderr
    until(lambda: ended(cluster), 240, "the end of the queue")
    text = log(results)
    assert text.count("exit code 77, was evicted before it made progress, no restart") == 2, text
    assert "was evicted without progress, and gets 20 min instead of 10: submitted again" in text
    assert "was evicted, and made no progress in 2 attempts: 'harness retry' starts it again: left alone" in text
    assert [submission.arrays[0].resources.time for submission in of(results)] == [10, 20]
