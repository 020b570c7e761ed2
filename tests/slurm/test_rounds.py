"""`run --decide` on a real SLURM: follow-up jobs submit the rounds, though the terminal is gone."""

import subprocess
import sys

import pytest
from distributions import install, on_path
from submissions import ended, log, of, until

from harness.sequential.follow_up import MODULE
from harness.store.decisions import decisions

DECIDE = ("points/table2", "--rows", "width=1", "--rows", "width=16", "--decide", "--most-seeds", "2")


@pytest.fixture
def points(toy_environment, tmp_path):
    """An environment with a paper of tiny runs and claims about them."""
    install(tmp_path / "site", "points-paper", {}, papers=["points = points_paper:PAPER"])
    return on_path(toy_environment, tmp_path / "site")


def test_rounds_go_on_without_the_terminal_and_end_as_they_do_here(submit, cluster, profile, points, tmp_path):
    here, results = tmp_path / "here", tmp_path / "results"
    line = [sys.executable, "-m", "harness", "--results", str(here), "run", *DECIDE]
    subprocess.run(line, env=points, check=True, timeout=300, capture_output=True)
    settings = {"SLURM_CONF": str(cluster.folder.slurm_conf), "PYTHONPATH": points["PYTHONPATH"]}
    done = submit(results, *DECIDE, profile=profile("runs_per_task = 4"), environment=settings)
    assert done.returncode == 0, done.stderr
    assert "then submits the next round" in done.stdout
    until(lambda: ended(cluster), 240, "the end of the rounds")
    assert [one.rounds for one in decisions(results)] == [one.rounds for one in decisions(here)], log(results)
    assert {path.name for path in (results / "runs").iterdir()} == {path.name for path in (here / "runs").iterdir()}
    rounds = len(next(iter(decisions(results))).rounds)
    assert len(of(results)) == rounds > 1 and all(one.watchdog == MODULE for one in of(results))
    assert (
        f"no seed is added after round {rounds}"
        in (results / "submissions" / of(results)[-1].id / "slurm.log").read_text()
    )


def test_a_profile_without_a_follow_up_job_needs_someone_who_waits(submit, profile, cluster, points, tmp_path):
    lonely = profile("[follow_up]\nenabled = false")
    settings = {"PYTHONPATH": points["PYTHONPATH"]}
    refused = submit(tmp_path / "results", *DECIDE, profile=lonely, environment=settings)
    assert refused.returncode == 2 and "no follow-up job" in refused.stderr and "--wait" in refused.stderr
    assert not (tmp_path / "results" / "decisions").exists()
    waited = submit(tmp_path / "results", *DECIDE, "--wait", profile=lonely, environment=settings, timeout=300)
    assert waited.returncode == 0, waited.stdout + waited.stderr
    assert "claim by intervals of 97.06 %" in waited.stdout
    assert len(of(tmp_path / "results")) == len(next(iter(decisions(tmp_path / "results"))).rounds) > 1
