"""Rehearsals on a real SLURM, with the partition and the resources of the runs."""

import json

import pytest

from harness.launch.slurm.manifest import entries, submissions
from harness.store.rehearsals import Rehearsals

REHEARSE = ("toy/table101", "--rows", "Den*", "--rehearse", "--json")


@pytest.mark.soak
def test_a_rehearsal_is_a_job_of_its_own_and_no_place_of_the_run(submit, profile, results):
    done = submit(results.root, *REHEARSE, profile=profile("tasks_per_node = 2", time='"2-00:00:00"'))
    assert done.returncode == 0, done.stderr + done.stdout
    (run,) = json.loads(done.stdout)["runs"]
    assert run["ok"] and run["record"]["world_size"] == 2
    (submission,) = submissions(results)
    (array,) = submission.arrays
    assert [task.kind for task in array.tasks] == ["rehearsal"]
    assert array.resources.time == 30 and submission.follow_up is None
    assert entries(results) == {}
    assert not results.runs.exists()
    assert [directory.id for directory, _ in Rehearsals(results.root).records()] == [run["id"]]


def test_a_partition_that_is_not_there_is_found(submit, profile, results):
    done = submit(results.root, *REHEARSE, profile=profile(partition="nowhere"))
    assert done.returncode == 1
    (run,) = json.loads(done.stdout)["runs"]
    (problem,) = run["problems"]
    assert problem["part"] == "sbatch" and "invalid partition" in problem["what"].lower()
    assert "profile" in problem["mend"]


def test_what_only_the_run_itself_asks_for_is_found(cluster, submit, profile, results):
    """A rehearsal fits into the limit of its partition; the run does not."""
    cluster.command("scontrol", "update", "PartitionName=main", "MaxTime=60")
    try:
        done = submit(results.root, *REHEARSE, profile=profile(time='"10:00:00"'))
    finally:
        cluster.command("scontrol", "update", "PartitionName=main", "MaxTime=INFINITE")
    (run,) = json.loads(done.stdout)["runs"]
    assert run["record"] is not None
    assert [problem["part"] for problem in run["problems"]] == ["partition"]
    assert "allows 01:00:00, not 600 min" in run["problems"][0]["what"]
    assert done.returncode == 1


@pytest.mark.soak
def test_a_job_that_dies_is_told_by_the_scheduler(submit, profile, results):
    done = submit(results.root, *REHEARSE, profile=profile('setup = ["exit 9"]'))
    assert done.returncode == 1
    (run,) = json.loads(done.stdout)["runs"]
    (problem,) = run["problems"]
    assert problem["part"] == "job" and "left no record: failed" in problem["what"]
    assert "slurm.log" in problem["mend"]
