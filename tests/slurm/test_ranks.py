"""Several ranks as tasks of a SLURM step, on several nodes."""

import json

import pytest
from holding import is_asked_to_leave
from progress import checkpointed
from submissions import ended, held, log, until

LONG = "toy/table102"
NODES = "nodes = 2\ntasks_per_node = 1\nmax_restarts = 0"


@pytest.mark.soak
def test_ranks_on_two_nodes_are_evicted_together_and_the_run_goes_on(submit, cluster, profile, fresh_results):
    """SIGUSR2 to the step, as before a time limit: all ranks leave, and the task is requeued."""
    results = fresh_results()
    done = submit(results, LONG, profile=profile(NODES))
    assert done.returncode == 0, done.stderr
    with held(cluster, results, checkpointed) as workers:
        step = cluster.command("squeue", "--noheader", "--steps", "--format=%i").split()
        cluster.command("scancel", "--signal=USR2", next(name for name in step if name.endswith(".0")))
        (first,) = workers.values()
        until(lambda: is_asked_to_leave(first), 60, "the signal")
    until(lambda: ended(cluster), 240, "the end of the queue")
    (again,) = results.glob("runs/*/segments/2.json")
    first, second = (json.loads(path.read_text()) for path in (again.with_name("1.json"), again))
    assert first["world_size"] == second["world_size"] == 2
    assert 0 < second["first_step"] == first["first_step"] + first["steps"]
    assert "exit code 75" in log(results), log(results)
    assert json.loads((again.parents[1] / "outcome.json").read_text())["state"] == "done"
