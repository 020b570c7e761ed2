"""Submissions to a real SLURM lab, and manifests as submissions write them."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from harness.config.execution import Execution
from harness.launch.plan import PlannedRun
from harness.launch.slurm.manifest import Array, Code, RunProgress, Submission, Task, save
from harness.launch.slurm.profile import Profile, Resources
from harness.store.results import Results

PROFILE = """
partition = "{partition}"
cpus_per_task = 4
time = {time}
signal_seconds = 30
{more}
"""


@pytest.fixture
def profile(tmp_path):
    """Write a profile for the lab and return its path."""

    def write(more="", name="test", partition="main", time=10):
        path = tmp_path / f"{name}.toml"
        path.write_text(PROFILE.format(more=more, partition=partition, time=time))
        return path

    return write


@pytest.fixture
def submit(cluster, toy_environment, tmp_path):
    """Submit with `run --executor slurm`; return the ended process."""

    def run(results, *arguments, profile, command="run", environment=None, **options):
        line = [sys.executable, "-m", "harness", "--results", str(results), command, *map(str, arguments)]
        line += ["--executor", "slurm", "--profile", str(profile)]
        environment = toy_environment | {"SLURM_CONF": str(cluster.folder.slurm_conf)} | (environment or {})
        options = {"capture_output": True, "text": True, "timeout": 120} | options
        return subprocess.run(line, env=environment, **options)

    return run


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "results")


@pytest.fixture
def planned(results):
    """A requested run."""
    from toy_paper import HYBRID, PROTOCOLS

    evaluations = {evaluation.id: evaluation for evaluation in PROTOCOLS.values()}
    planned = PlannedRun(HYBRID, results.directory(HYBRID), None, [], evaluations)
    planned.request()
    return planned


@pytest.fixture
def submitted(results):
    """Write the manifest of a submission with one run into the results directory."""

    def write(run, profile=None, resources=None, job_id="7", number=0, **fields):
        profile = profile or Profile()
        id = f"2026010{number + 1}T000000Z-00000{number}"
        resources = resources or Resources(**{name: getattr(profile, name) for name in Resources.model_fields})
        array = Array(name=f"harness-{id}-0", resources=resources, tasks=(Task(runs=(run.id,)),), job_id=job_id)
        submission = Submission(
            id=id,
            created=datetime.now(UTC),
            user="somebody",
            profile=profile,
            execution=Execution(),
            code=Code(archive="code.zip", sha256="0", commit=None, dirty=None),
            arrays=(array,),
            **{"marks": {run.id: RunProgress()}, "data": "/data", "profile_name": "test", **fields},
        )
        save(results, submission)
        return submission

    return write
