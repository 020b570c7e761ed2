"""An external distribution on a real SLURM: the snapshot contains its code, and runs end as without SLURM."""

import json
import zipfile

import warm
from outside import needs_outside
from snapshots import snapshot
from submissions import ended, log, of, until

needs_outside()

TABLE = "outside/table2"


def test_its_runs_end_with_the_same_bits_as_in_a_terminal(submit, cluster, profile, toy_environment, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    assert submit(there, TABLE, profile=profile("runs_per_task = 2")).returncode == 0
    warm.finish(toy_environment, here, TABLE)
    until(lambda: ended(cluster), 150, "the end of the queue")
    assert snapshot(there) == snapshot(here), log(there)
    (submission,) = of(there)
    with zipfile.ZipFile(there / "submissions" / submission.id / submission.code.archive) as archive:
        names = set(archive.namelist())
    assert {"outside_paper/nn/lion.py", "outside_tools/mlp.py"} <= names, "helper packages are included"
    states = [json.loads(path.read_text()) for path in there.glob("runs/*/outcome.json")]
    assert [outcome["state"] for outcome in states] == ["done", "done"]
    stays = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/runs/*/segments/1.json"))]
    own = {each["sha256"] for stay in stays for each in stay["distributions"] if each["name"] == "outside-paper"}
    assert len(stays) == 4 and len(own) == 1, "the snapshot contains the current code"
