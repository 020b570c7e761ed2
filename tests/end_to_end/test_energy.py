"""Energy-based runs by the worker: killed in the middle of their chains, then evaluated with all they support."""

import json
import re

import pytest
import warm
from energy_runs import ENERGY_RUNS
from processes import finish, kill, start
from snapshots import snapshot

from harness.config.evaluations import (
    Accuracy,
    Calibration,
    Generation,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.config.run import Run
from harness.store.results import Results

EVALUATIONS = (
    Accuracy(),
    Calibration(),
    Generation(samples=120, features="classifier", score_splits=3),
    OutOfDistribution(score="log_density"),
    OutOfDistribution(score="max_probability"),
    Robustness(norm="linf", epsilons=(8.0,), images=60, steps=3, restarts=1),
    Size(),
)
RUNTIME = Runtime(warmup_steps=1, windows=2, timed_steps=1)


def ask(results, run, evaluations):
    Results(results).directory(run).request(run, evaluations)


@pytest.mark.parametrize("kind", ["jem", pytest.param("vera", marks=pytest.mark.soak)])
def test_a_run_that_is_killed_ends_the_same_and_every_evaluation_works(kind, toy_environment, fresh_results):
    run = Run(kind, ENERGY_RUNS[kind].but(epochs=5))
    whole, broken = fresh_results("whole"), fresh_results("broken")
    for results in (whole, broken):
        ask(results, run, EVALUATIONS)
    warm.finish(toy_environment, whole, run.id, command="worker")
    kill(start(toy_environment, broken, run.id, command="worker"), broken)
    finish(start(toy_environment, broken, run.id, command="worker"))
    found = snapshot(whole)
    assert snapshot(broken) == found
    assert len(list(broken.glob("runs/*/segments/*.json"))) == 2
    records = [record for name, record in found.items() if "/evaluations/" in name and name.endswith(".json")]
    assert len(records) == len(EVALUATIONS)
    quantities = {name: float(m["value"]) for record in records for name, m in record["quantities"].items()}
    assert quantities["accuracy"] > 30
    assert 0 < quantities["frechet_distance"] < 1e4
    assert 0 <= quantities["auroc"] <= 1
    assert quantities["parameters_m"] == pytest.approx(run.parameters / 1e6, rel=1e-9)
    ask(whole, run, [RUNTIME])
    warm.finish(toy_environment, whole, run.id, command="worker")
    timed = json.loads(next(whole.glob(f"runs/*/evaluations/{RUNTIME.id}.json")).read_text())
    assert timed["quantities"]["minutes_per_epoch"]["value"] > 0


def test_a_run_that_diverges_in_spite_of_its_restarts_fails_with_one_line(toy_environment, fresh_results):
    results = fresh_results()
    run = Run("jem", ENERGY_RUNS["jem"].but(step_size=1e7, noise=1e6, langevin_steps=8, restarts=1))
    ask(results, run, [Accuracy()])
    done = warm.call(toy_environment, ["--results", str(results), "worker", run.id])
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    outcome = json.loads(next(results.glob("runs/*/outcome.json")).read_text())
    assert outcome["state"] == "failed"
    assert re.search(r"after 1 restarts, the last from step \d+", outcome["error"])
    log = next(results.glob("runs/*/log.txt")).read_text()
    assert log.count("restarting from step") == 1
