"""A run killed anywhere between its start and its last evaluation ends with the same bits as an uninterrupted one."""

import json
import os
import signal

from processes import finish, held, kill, printed, start
from progress import first_steps, gets_on_in, is_measured_in_part, tenths
from snapshots import snapshot

from harness.store.temporary import has_temporary

TABLE = "toy/table102"
TENTHS = (1, 2, 1, 2)
"""Tenths of the training between kills."""


def only_run(results):
    (run,) = results.glob("runs/*")
    return run


def test_runs_killed_again_and_again_end_bit_for_bit_the_same(toy_environment, undisturbed, tmp_path):
    """Kill the process group before the training, four times during it, and once among the evaluations.

    The feature space is not trained yet, so the evaluations take a while.
    """
    results = tmp_path / "results"
    kill(start(toy_environment, results, TABLE), results, lambda run: first_steps(run) == [None])
    run = only_run(results)
    for further in TENTHS:
        wanted = tenths(run) + further
        kill(start(toy_environment, results, TABLE), results, lambda run, wanted=wanted: wanted <= tenths(run) < 10)
    kill(start(toy_environment, results, TABLE), results, is_measured_in_part)
    finish(start(toy_environment, results, TABLE))
    assert snapshot(results) == undisturbed
    steps = first_steps(run)[1:-1]
    assert len(steps) == len(TENTHS) + 1
    assert steps == sorted(steps)
    assert sum(step > 0 for step in steps) >= 2, "some kills must hit the training"
    assert first_steps(run)[-1] is None, "the last worker only evaluated"
    assert not has_temporary(results) and not (run / "checkpoints").exists()


def test_interrupting_saves_and_leaves_with_130(toy_environment, harness, undisturbed, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    with held(process, results):
        os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command continues from here" in output
    assert "Traceback" not in output
    assert json.loads(harness("status", "--json", results=results).stdout)["totals"] == {"interrupted": 1}
    finish(start(toy_environment, results, TABLE))
    assert snapshot(results) == undisturbed


def test_a_truncated_checkpoint_is_passed_over(toy_environment, undisturbed, fresh_results):
    results = fresh_results()
    kill(start(toy_environment, results, TABLE), results)
    kill(start(toy_environment, results, TABLE), results, gets_on_in(2))
    newest = max(results.glob("runs/*/checkpoints/*.json")).with_suffix(".safetensors")
    newest.write_bytes(newest.read_bytes()[:1000])
    finish(start(toy_environment, results, TABLE))
    assert "is corrupt" in next(results.glob("runs/*/log.txt")).read_text()
    assert snapshot(results) == undisturbed


def test_killing_only_the_parent_leaves_the_worker_to_finish(toy_environment, undisturbed, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    with held(process, results):
        process.kill()
        process.wait()
        second = start(toy_environment, results, TABLE)
        printed(second, "held by another process")
    finish(second)
    assert snapshot(results) == undisturbed
    assert len(list(results.glob("runs/*/segments/*.json"))) == 1


def test_interrupting_a_worker_alone_interrupts_the_run(toy_environment, fresh_results):
    results = fresh_results()
    process = start(toy_environment, results, TABLE)
    with held(process, results) as workers:
        (worker,) = workers.values()
        worker.terminate()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command continues from here" in output
