"""Killed at random moments, a run ends with the same bits as an undisturbed one."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from processes import checkpointed, finish, killed, start
from snapshots import snapshot

KILLS = 6
TABLE = "toy/table102"


@pytest.fixture(scope="module")
def undisturbed(toy_environment, finished, tmp_path_factory):
    """The results of a run that nothing disturbs, and the seconds that it took."""
    results = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(finished[0] / "cache", results / "cache")
    begun = time.monotonic()
    finish(start(toy_environment, results, TABLE))
    return snapshot(results), time.monotonic() - begun


def checkpoints(results):
    return set(results.glob("runs/*/checkpoints/*.json"))


def test_runs_killed_again_and_again_end_bit_for_bit_the_same(toy_environment, undisturbed, fresh_results):
    """Kill the whole process group; when a run gets to its end between kills, compare it and begin another.

    Every other kill waits for a new checkpoint, so that it hits the training however long the start takes.
    """
    (expected, seconds), dice = undisturbed, random.Random(0)
    kills, rounds, resumed = 0, 0, 0
    results = fresh_results("round-0")
    while kills < KILLS or rounds == 0:
        before = checkpoints(results)
        process = start(toy_environment, results, TABLE)
        while kills % 2 and process.poll() is None and checkpoints(results) == before:
            time.sleep(0.02)
        if killed(process, dice.uniform(0.2, 0.8) * seconds / (1 + 3 * (kills % 2)) if kills < KILLS else 300):
            kills += 1
            continue
        assert snapshot(results) == expected
        resumed += sum(len(list(run.glob("segments/*.json"))) - 1 for run in results.glob("runs/*"))
        rounds += 1
        results = fresh_results(f"round-{rounds}")
    assert resumed >= 2, "kills must have hit the training itself"


def test_interrupting_saves_and_leaves_with_130(toy_environment, undisturbed, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    checkpointed(process, results)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command goes on from here" in output
    assert "Traceback" not in output
    status = [sys.executable, "-m", "harness", "--results", str(results), "status", "--json"]
    document = json.loads(subprocess.check_output(status, env=toy_environment))
    assert document["totals"] == {"interrupted": 1}
    finish(start(toy_environment, results, TABLE))
    assert snapshot(results) == undisturbed[0]


def test_a_truncated_checkpoint_is_passed_over(toy_environment, undisturbed, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    checkpointed(process, results, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    newest = max(results.glob("runs/*/checkpoints/*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:1000])
    finish(start(toy_environment, results, TABLE))
    assert "is not what was written" in next(results.glob("runs/*/log.txt")).read_text()
    assert snapshot(results) == undisturbed[0]


def test_killing_only_the_parent_leaves_the_worker_to_finish(toy_environment, undisturbed, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    checkpointed(process, results)
    process.kill()
    process.wait()
    finish(start(toy_environment, results, TABLE))
    assert snapshot(results) == undisturbed[0]
    assert len(list(results.glob("runs/*/segments/*.json"))) == 1


def test_interrupting_a_worker_alone_interrupts_the_run(toy_environment, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    checkpointed(process, results)
    (worker,) = psutil.Process(process.pid).children()
    worker.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command goes on from here" in output
