"""Whole selections while everything misbehaves: every run ends once, with the numbers of an undisturbed one.

With HARNESS_CHAOS=hybvit, HARNESS_CHAOS_REFERENCE=<results of an undisturbed `run hybvit`> and
HARNESS_CHAOS_DATA=<its data> the selection is the paper's own at laptop scale, for half an hour; by default it is
that of the tests. HARNESS_CHAOS_CALM=3 makes the pauses between disturbances three times as long.
"""

import json
import os
import random
import time
from pathlib import Path

import pytest
from chaos import ACTIONS, Chaos
from holding import is_asked_to_leave
from processes import finish, start
from progress import checkpointed
from submissions import ended, held, log, of, until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(6 * 3600)]
TOY = ("toy/table101", "toy/table102")
TIMED = "runtime"
"""The kind of evaluation that measures times, which are not reproducible."""


def numbers(results):
    """Return the weights' hash and all measured values, by run."""
    found = {}
    for run in sorted(Path(results).glob("runs/*")):
        records = {path.stem: json.loads(path.read_text()) for path in run.glob("evaluations/*.json")}
        measured = {id: record["quantities"] for id, record in records.items() if not id.startswith(TIMED)}
        found[run.name] = json.loads((run / "training.json").read_text())["weights_sha256"], measured
    return found


@pytest.fixture
def selection():
    chosen = os.environ.get("HARNESS_CHAOS")
    return tuple(chosen.split(",")) if chosen else TOY


@pytest.fixture
def reference(selection, toy_environment, fresh_results):
    """The values of an uninterrupted run."""
    if given := os.environ.get("HARNESS_CHAOS_REFERENCE"):
        return numbers(given)
    results = fresh_results("undisturbed")
    finish(start(toy_environment, results, *selection, "--seeds", "6"), timeout=3600)
    return numbers(results)


def test_every_run_ends_once_with_the_numbers_of_an_undisturbed_one(
    submit, cluster, profile, selection, reference, tmp_path
):
    """Two-minute time limits, and a random disturbance about every ten seconds until the queue is empty."""
    results, seeds = tmp_path / "results", () if "HARNESS_CHAOS" in os.environ else ("--seeds", "6")
    environment = {"HARNESS_CHECKPOINT_SECONDS": "2"}
    if data := os.environ.get("HARNESS_CHAOS_DATA"):
        environment["HARNESS_DATA"] = data
    tight = profile("array_parallelism = 3\nmax_restarts = 2\nmax_attempts = 9").read_text()
    path = tmp_path / "tight.toml"
    path.write_text(tight.replace("time = 10\nsignal_seconds = 30", "time = 2\nsignal_seconds = 20"))
    done = submit(results, *selection, *seeds, profile=path, environment=environment)
    assert done.returncode == 0, done.stderr
    chaos = Chaos(cluster, seed=int(os.environ.get("HARNESS_CHAOS_SEED", "0")))
    pause, calm = random.Random(1), float(os.environ.get("HARNESS_CHAOS_CALM", "1"))
    while not ended(cluster):
        time.sleep(calm * pause.uniform(5, 15))
        if what := chaos.act():
            print(f"{time.strftime('%T')} {what}", flush=True)
    print(chaos.done, f"{len(of(results))} submissions")
    assert sum(count > 0 for count in chaos.done.values()) >= len(ACTIONS) - 1, chaos.done
    measured = numbers(results)
    for run, (weights, quantities) in measured.items():
        expected, others = reference[run]
        assert weights == expected
        assert quantities == {id: others[id] for id in quantities}, log(results)
    for run in results.glob("runs/*"):
        assert json.loads((run / "outcome.json").read_text())["state"] in ("done", "failed")
        assert (run / "log.txt").read_text().count(" INFO done\n") == 1, f"{run.name} was finished once"


@pytest.mark.parametrize(
    ("more", "says"),
    [("", "exit code 75, restart"), ('[sbatch]\nsignal = "B:CONT@1"', "reached its time limit: submitted again")],
    ids=["warned", "unwarned"],
)
def test_work_longer_than_its_time_limit_goes_on_until_it_is_done(
    more, says, submit, cluster, profile, fresh_results, toy_environment
):
    """One of two packed runs outlives the limit: requeued if warned in time, else resubmitted by the follow-up job."""
    results = fresh_results()
    path = profile(f"runs_per_task = 2\n{more}")
    path.write_text(
        path.read_text().replace("time = 10", "time = 1").replace("signal_seconds = 30", "signal_seconds = 5")
    )
    assert submit(results, "toy/table102", "--seeds", "2", profile=path).returncode == 0
    with held(cluster, results, checkpointed) as workers:
        (worker,) = workers.values()
        until(lambda: is_asked_to_leave(worker), 120, "the time limit")
    until(lambda: ended(cluster), 1800, "the end of the queue")
    undisturbed = fresh_results("undisturbed")
    finish(start(toy_environment, undisturbed, "toy/table102", "--seeds", "2"), timeout=3600)
    assert numbers(results) == numbers(undisturbed)
    assert says in log(results), log(results)
