"""Snapshots: equal code makes equal bytes, and what runs from one knows the commit that it was taken of."""

import json
import subprocess
import sys

from harness.launch.slurm.snapshot import take
from harness.store.provenance import git_state

ASKED = """
import json, harness.worker.stop, toy_paper
from harness.spec.registry import papers
from harness.store.provenance import git_state
print(json.dumps([harness.worker.stop.__file__, toy_paper.__file__, sorted(papers()), git_state()]))
"""


def test_the_same_code_makes_the_same_bytes_and_runs_from_the_archive_alone(tmp_path, toy_environment):
    first, second = take(tmp_path / "a.zip"), take(tmp_path / "b.zip")
    assert first.sha256 == second.sha256
    assert (first.commit, first.dirty) == git_state()
    alone = toy_environment | {"PYTHONPATH": str(tmp_path / "a.zip"), "PYTHONSAFEPATH": "1"}
    said = subprocess.check_output([sys.executable, "-c", ASKED], env=alone, cwd=tmp_path)
    module, paper, papers, state = json.loads(said)
    assert module.startswith(str(tmp_path)) and paper.startswith(str(tmp_path))
    assert papers == ["hybvit", "toy"] and tuple(state) == git_state()
