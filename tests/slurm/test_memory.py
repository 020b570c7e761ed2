"""Out of memory: SLURM kills the task, and the follow-up job requests more.

The lab has no cgroups; SLURM's accounting gatherer enforces the limit, in a lab of this module's own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from submissions import ended, log, of, until

from harness.lab import lab as lab_module
from harness.lab import programs
from harness.lab.configuration import Shape
from harness.lab.lab import Lab
from harness.lab.templates import files

ENFORCING = {
    "JobAcctGatherType=jobacct_gather/none": "JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=1\n"
    "JobAcctGatherParams=OverMemoryKill",
    "SelectTypeParameters=CR_CPU\n": "SelectTypeParameters=CR_CPU_Memory\n",
}


@pytest.fixture
def cluster(monkeypatch):
    """A lab of one node, without accounting, that kills jobs exceeding their memory."""
    shape = Shape(nodes=1, accounting=False, auth="none")
    if absent := programs.missing(shape):
        pytest.skip(f"no SLURM lab without {', '.join(absent)}: {programs.how_to_install(absent)}")

    def enforcing(folder, configuration):
        texts = files(folder, configuration)
        for default, changed in ENFORCING.items():
            assert default in texts["slurm.conf"]
            texts["slurm.conf"] = texts["slurm.conf"].replace(default, changed)
        return texts

    monkeypatch.setattr(lab_module, "files", enforcing)
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    lab = Lab.start(folder, shape)
    yield lab
    lab.stop()
    shutil.rmtree(folder)


def test_the_lab_ends_a_step_that_takes_too_much_memory(cluster):
    greedy = "import time; taken = b'x' * (200 << 20); time.sleep(30); print('not ended')"
    command = ["srun", "--mem=20M", "--input=none", sys.executable, "-c", greedy]
    environment = os.environ | {"SLURM_CONF": str(cluster.folder.slurm_conf)}
    step = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert step.returncode != 0
    assert "exceeded memory limit" in step.stderr, step.stderr
    assert "not ended" not in step.stdout


@pytest.mark.soak
def test_a_run_out_of_memory_gets_half_as_much_again_up_to_a_bound(submit, cluster, profile, tmp_path):
    results = tmp_path / "results"
    done = submit(
        results, "toy/table102", profile=profile('memory = "40M"\nmax_attempts = 2\n[follow_up]\nmemory = "1G"')
    )
    assert done.returncode == 0, done.stderr
    until(lambda: ended(cluster), 120, "the end of the queue")
    text = log(results)
    first, second = of(results)
    assert (first.arrays[0].resources.memory, second.arrays[0].resources.memory) == (40, 60)
    assert text.count("exit code 137, ran out of memory") == 2, text
    assert "ran out of memory, and gets 60 MB instead of 40: submitted again" in text
    assert "ran out of memory, and made no progress in 2 attempts: 'harness retry' starts it again: left alone" in text
