"""An external paper on a real SLURM: jobs run the submitted code and record which it was."""

import json

import mixup
from submissions import ended, log, of, until


def segments(results, name):
    paths = [path for path in results.glob("runs/*/config.json") if json.loads(path.read_text())["name"] == name]
    (run,) = (path.parent for path in paths)
    return [json.loads(path.read_text()) for path in sorted((run / "segments").glob("*.json"))]


def test_jobs_run_what_was_submitted_and_stale_runs_are_resubmitted(
    submit, cluster, profile, toy_environment, tmp_path, harness
):
    code, results = mixup.lay(tmp_path / "code"), tmp_path / "results"
    environment = {"PYTHONPATH": f"{toy_environment['PYTHONPATH']}:{code}"}

    def stale():
        done = harness.warm("status", "--json", env=toy_environment | environment)
        return {run["name"]: (run["state"], run["stale"]) for run in json.loads(done.stdout)["runs"]}

    cluster.command("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        done = submit(results, "mixup/table1", profile=profile(), environment=environment)
        assert done.returncode == 0, done.stderr
        mixup.edit(code)
    finally:
        cluster.command("scontrol", "update", "PartitionName=main", "State=UP")
    until(lambda: ended(cluster), 150, "the end of the queue")
    assert stale() == {"plain": ("done", []), "mixup": ("done", ["mixup-paper"])}, log(results)
    (first,) = segments(results, "mixup")
    again = submit(results, "mixup/table1", "--stale", "--wait", profile=profile(), environment=environment)
    assert again.returncode == 0 and "set aside" in again.stdout, again.stderr
    assert "1 of 1 runs are done" in again.stdout
    until(lambda: ended(cluster), 150, "the end of the queue")
    assert stale() == {"plain": ("done", []), "mixup": ("done", [])}
    (second,) = segments(results, "mixup")
    assert first["distributions"][0]["sha256"] != second["distributions"][0]["sha256"]
    assert [len(submission.arrays[-1].tasks) for submission in of(results)] == [2, 1]
