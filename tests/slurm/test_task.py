"""What a task of several runs does, without a cluster."""

import gpus
import pytest
from toy_paper import HYBRID

from harness.exit_codes import ExitCode
from harness.launch.slurm import task as module
from harness.launch.slurm.manifest import Task
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.task import run_side_by_side
from harness.store.records import Outcome


@pytest.mark.parametrize(
    ("visible", "runs_per_gpu", "workers"),
    [("0", 3, 3), ("0,1", 2, 4), ("0,1", 9, 5), ("0", 1, 1), ("", 9, 2)],
    ids=["one GPU", "two GPUs", "more places than runs", "one run a GPU", "no GPU: two cores"],
)
def test_so_many_runs_are_at_work_side_by_side(results, submitted, monkeypatch, visible, runs_per_gpu, workers):
    asked = []

    class Executor:
        def __init__(self, launcher, workers, fail_fast):
            asked.append((workers, fail_fast))

        def execute(self, runs, show):
            asked.append(len(runs))

    gpus.pretend(monkeypatch, gpus.listing(2))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(module, "usable_cores", lambda: 2)
    monkeypatch.setattr(module, "LocalExecutor", Executor)
    runs = [HYBRID.but(seed=seed) for seed in range(6)]
    for run in runs:
        results.directory(run).request(run, [])
    Outcome.now("cancelled").save(results.directory(runs[0]).outcome)
    submission = submitted(HYBRID, Profile(gpus_per_node=1, runs_per_gpu=runs_per_gpu))
    task = Task(runs=tuple(run.id for run in runs))
    code = run_side_by_side(results, submission, task, lambda board: None)
    assert asked == [(workers, False), 5]
    assert code is ExitCode.LOST, "none of them was brought to an end"
