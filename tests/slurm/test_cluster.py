"""Submissions on a real SLURM: they survive cluster failures, with the results of an uninterrupted run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from holding import is_asked_to_leave
from progress import checkpointed, first_steps, gets_on_in
from snapshots import snapshot
from submissions import ended, held, log, of, tasks_of, until
from surroundings import FIXED

from harness.environment import user

ROOT = Path(__file__).parents[2]
LONG = "toy/table102"


def gone(cluster, seconds=150):
    until(lambda: ended(cluster), seconds, "the end of the queue")


def test_a_run_disturbed_at_every_turn_ends_with_the_same_numbers(submit, cluster, profile, fresh_results, undisturbed):
    """Preempted, killed with -9, its node dead, all while the accounting daemon is down."""
    results = fresh_results()
    cluster.stop_accounting()
    done = submit(results, LONG, profile=profile())
    assert done.returncode == 0, done.stderr
    (submission,) = of(results)
    job = f"{submission.arrays[0].job_id}_0"
    (run,) = (results / "runs").iterdir()
    high = ("--partition=high", "--exclusive", "--nodes=4", "--output=/dev/null", "--wrap=sleep 2")
    with held(cluster, results, gets_on_in(1)) as workers:
        cluster.command("sbatch", *high)
        until(lambda: is_asked_to_leave(workers[run.name]), 60, "the preemption")
    with held(cluster, results, gets_on_in(2)) as workers:
        workers[run.name].kill()
    with held(cluster, results, gets_on_in(3)):
        node = cluster.command("squeue", "--noheader", f"--job={job}", "--format=%N").strip()
        cluster.kill_node(node)
        cluster.expire_node(node)
    with held(cluster, results, gets_on_in(4)):
        cluster.start_node(node)
    gone(cluster)
    assert snapshot(results) == undisturbed
    text = log(results)
    assert "exit code 75, restart 1" in text, "it was preempted, and saved its state"
    assert "exit code 137, restart 2" in text
    assert len(tasks_of(results)) == 1, "one job, restarted"
    steps = first_steps(run)
    assert len(steps) == 4 and steps == sorted(set(steps)) and steps[0] == 0


def test_two_terminals_submit_200_runs_once_and_cancel_removes_them(
    cluster, toy_environment, profile, tmp_path, harness
):
    results = tmp_path / "results"
    environment = toy_environment | {"SLURM_CONF": str(cluster.folder.slurm_conf)}
    line = [sys.executable, "-m", "harness", "--results", str(results), "run", "toy/table101", "--seeds", "100"]
    line += ["--executor", "slurm", "--profile", str(profile("max_array_size = 90\n[sbatch]\nhold = true"))]
    begun, computed = time.monotonic(), sum(os.times()[2:4])
    both = [subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    seconds, computed = time.monotonic() - begun, sum(os.times()[2:4]) - computed
    assert [process.returncode for process in both] == [0, 0]
    # Other tests may share the cores: the shorter of wall time and CPU time counts.
    assert min(seconds, computed) < 10, f"two submissions of 200 runs took {seconds:.1f} s, {computed:.1f} s of a core"
    (submission,) = of(results)
    assert sorted(len(array.tasks) for array in submission.arrays) == [1, 20, 90, 90]
    assert len(set(tasks_of(results))) == len(tasks_of(results)) == 200
    assert sum("200 runs, such as" in text and "is queued" in text for text in printed) == 1
    assert len(list((results / "submissions").glob("*/*"))) <= 8, "a handful of files a submission"
    assert int(cluster.command("squeue", "--noheader", "--array", "--format=%i").count("\n")) == 202
    status = json.loads(harness("status", "--json", results=results, env=environment).stdout)
    assert {run["job"]["state"] for run in status["runs"]} == {"queued"}
    assert harness("cancel", "--all", results=results, env=environment).returncode == 0
    assert cluster.command("squeue", "--noheader", "--array", "--format=%j").count("-follow-up") == 1
    again = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)
    assert "200 cancelled runs are skipped" in again.stdout and len(of(results)) == 1


def test_packed_runs_end_though_terminal_and_code_are_gone(
    cluster, toy_environment, profile, tmp_path, finished, fresh_results
):
    """Submit from a copy of the code, kill the submitting process, and break the code before the first job starts."""
    code, results = tmp_path / "code", fresh_results()
    shutil.rmtree(results / "cache")
    for folder, copy in (("harness", "harness"), ("experiments", "harness_papers"), ("tests/support", "support")):
        shutil.copytree(ROOT / folder, code / copy, ignore=shutil.ignore_patterns("__pycache__"))
    environment = toy_environment | {
        "SLURM_CONF": str(cluster.folder.slurm_conf),
        "PYTHONPATH": f"{code}:{code / 'support'}",
    }
    line = [sys.executable, "-m", "harness", "--results", str(results), "run", "toy/table101", "--executor", "slurm"]
    line += ["--profile", str(profile("runs_per_task = 2"))]
    cluster.command("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        terminal = subprocess.Popen(
            line, env=environment, cwd=code, start_new_session=True, stdout=subprocess.PIPE, text=True
        )
        until(lambda: of(results) and of(results)[0].follow_up, 60, "the submission")
        os.killpg(terminal.pid, signal.SIGKILL)
        terminal.communicate()
        for path in code.rglob("*.py"):
            path.write_text("raise RuntimeError('edited after the submission')\n")
    finally:
        cluster.command("scontrol", "update", "PartitionName=main", "State=UP")
    gone(cluster)
    assert "edited after" not in log(results), log(results)
    assert snapshot(results) == snapshot(finished[0])
    (submission,) = of(results)
    assert [[task.kind for task in array.tasks] for array in submission.arrays] == [["features"], ["runs"]]
    assert len(submission.arrays[1].tasks[0].runs) == 2
    segments = [json.loads(path.read_text()) for path in results.glob("runs/*/segments/*.json")]
    assert {segment["commit"] for segment in segments} == {submission.code.commit}


def test_a_crash_between_sbatch_and_the_manifest_queues_nothing_twice(
    submit, cluster, profile, fresh_results, tmp_path
):
    results, tools = fresh_results(), tmp_path / "bin"
    tools.mkdir()
    (tools / "sbatch").write_text(f'#!/bin/bash\n{shutil.which("sbatch")} "$@" > /dev/null\nkill -9 $PPID\n')
    (tools / "sbatch").chmod(0o755)
    on_hold = profile("[sbatch]\nhold = true")
    crashing = {"PATH": f"{tools}:{os.environ['PATH']}"}
    assert submit(results, LONG, profile=on_hold, environment=crashing).returncode == -signal.SIGKILL
    assert of(results)[0].arrays[0].job_id is None
    again = submit(results, LONG, profile=on_hold)
    assert again.returncode == 0 and "is queued" in again.stdout
    (submission,) = of(results)
    assert cluster.command("squeue", "--noheader", "--format=%F").split() == [submission.arrays[0].job_id]
    # The same before sbatch: nothing is in the queue, and the next submission submits.
    (tools / "sbatch").write_text("#!/bin/bash\nkill -9 $PPID\n")
    other = fresh_results("other")
    assert submit(other, LONG, profile=on_hold, environment=crashing).returncode == -signal.SIGKILL
    assert submit(other, LONG, profile=on_hold).returncode == 0
    assert len(tasks_of(other)) == 1


def test_the_follow_up_submits_what_died_and_leaves_what_was_cancelled(submit, cluster, profile, fresh_results):
    """Without SLURM's requeueing: one worker is killed with -9, another run's job is cancelled by scancel."""
    results = fresh_results()
    assert submit(results, "toy/table101", profile=profile("requeue = false\nmax_restarts = 0")).returncode == 0
    (first,) = of(results)
    victim, cancelled = (task.runs[0] for task in first.arrays[0].tasks)
    with held(cluster, results, checkpointed, runs=2) as workers:
        cluster.command("scancel", f"{first.arrays[0].job_id}_1")
        workers[victim].kill()
        until(lambda: is_asked_to_leave(workers[cancelled]), 60, "the end of its job")
    gone(cluster)
    text = log(results)
    assert f"{victim} its worker died without a record: submitted again" in text
    assert f"{cancelled} its job was cancelled: left alone" in text
    assert tasks_of(results) == sorted([victim, victim, cancelled])
    assert of(results)[1].parent == first.id and of(results)[1].code == first.code
    assert (results / "runs" / victim / "outcome.json").exists()
    assert not (results / "runs" / cancelled / "outcome.json").exists()
    on_hold = profile("[sbatch]\nhold = true", name="held")
    again = submit(results, cancelled, command="retry", profile=on_hold)
    assert "submitted again" in again.stdout and "its job was cancelled" in again.stdout, again.stderr
    assert tasks_of(results).count(cancelled) == 2


def test_plain_sbatch_of_the_array_script_runs_a_table(cluster, toy_environment, fresh_results, finished, tmp_path):
    results = fresh_results()
    environment = toy_environment | {
        "SLURM_CONF": str(cluster.folder.slurm_conf),
        "HARNESS_RESULTS": str(results),
        "PYTHON": sys.executable,
    }
    line = ["sbatch", "--array=0-1", f"--output={tmp_path}/log", "slurm/array.sbatch", "toy/table101"]
    subprocess.run(line, env=environment, cwd=ROOT, check=True, capture_output=True)
    gone(cluster)
    assert snapshot(results) == snapshot(finished[0]), (tmp_path / "log").read_text()
    assert (tmp_path / "log").read_text().count("1 of 1 runs are done") == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [("", "invalid partition"), ("[sbatch]\nno-such-option = 1", "no-such-option")],
)
def test_errors_of_sbatch_are_quoted_and_leave_the_runs_unsubmitted(
    more, says, submit, cluster, profile, fresh_results
):
    results = fresh_results()
    done = submit(results, LONG, profile=profile(more, partition="nowhere" if says == "invalid partition" else "main"))
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not {"watch:", "log:", "report"} & set(done.stdout.split()), "nothing was submitted"
    assert ended(cluster) and tasks_of(results) == []
    assert submit(results, LONG, profile=profile("[sbatch]\nhold = true")).returncode == 0
    assert len(tasks_of(results)) == 1


def test_a_path_with_symbols_and_wishes_of_the_user_reach_the_job(submit, cluster, profile, fresh_results, harness):
    """Then `retry` without options goes where the run was submitted, and variables of the commands change nothing."""
    results, path = fresh_results("pct%j"), profile("[follow_up]\nenabled = false")
    path.write_text(path.read_text().replace('partition = "main"', ""))
    odd = {"SBATCH_PARTITION": "high", "SBATCH_TIMELIMIT": "3", "SQUEUE_FORMAT": "%i", "SCANCEL_INTERACTIVE": "1"}
    done = submit(results, LONG, profile=path, environment=odd)
    assert "SBATCH_TIMELIMIT=3 is not used: the batch script has --time=10" in done.stderr, done.stderr
    (first,) = of(results)
    assert cluster.command("squeue", "--noheader", "--format=%P %l").split() == ["high", "10:00"]
    (run,) = tasks_of(results)
    until(lambda: log(results), 60, "its log")
    environment = os.environ | odd | {"SLURM_CONF": str(cluster.folder.slurm_conf)}
    environment |= {"PYTHONPATH": FIXED["PYTHONPATH"]}
    cancelled = harness("cancel", run, results=results, env=environment)
    assert f"cancelled in the queue: {first.arrays[0].job_id}_0" in cancelled.stdout, cancelled.stderr
    gone(cluster)
    again = harness("retry", run, results=results, env=environment, cwd="/")
    assert f"with --executor slurm --profile {path}:" in again.stdout, again.stderr
    assert tasks_of(results) == [run, run]
    cluster.command("scancel", f"--user={user()}")
    gone(cluster)


def test_a_scheduler_that_does_not_answer_gets_nothing_submitted(submit, profile, fresh_results, tmp_path):
    (tmp_path / "empty.conf").touch()
    silent = {"SLURM_CONF": str(tmp_path / "empty.conf")}
    done = submit(fresh_results(), LONG, profile=profile(), environment=silent)
    assert done.returncode == 1 and "the scheduler does not answer" in done.stderr
    assert of(tmp_path / "results") == []
