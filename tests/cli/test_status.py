"""What `status` says of runs, in process."""

import json
import os
import time

import pytest
from toy_paper import HYBRID

from harness.cli.main import main
from harness.store.lease import Lease
from harness.store.records import Outcome, Progress
from harness.store.results import Results


@pytest.fixture
def described(tmp_path, capsys):
    """Ask for the only run of a results directory."""
    directory = Results(tmp_path).directory(HYBRID)
    directory.request(HYBRID, [])
    Progress(phase="training", step=5, total=9, epochs=2, rate=2.0).save(directory.progress)

    def ask():
        assert main(["--results", str(tmp_path), "status", "--json"]) == 0
        (run,) = json.loads(capsys.readouterr().out)["runs"]
        return run

    return directory, ask


def test_only_a_run_at_work_has_a_phase_a_rate_and_time_left(described):
    directory, ask = described
    with Lease.acquire(directory.path):
        run = ask()
    assert (run["state"], run["phase"], run["rate"], run["seconds_left"]) == ("running", "training", 2.0, 2.0)
    run = ask()
    assert (run["phase"], run["rate"], run["seconds_left"]) == (None, None, None)
    assert (run["step"], run["total"]) == (5, 9)


def test_an_error_is_that_of_a_failure_that_still_holds(described):
    directory, ask = described
    Outcome.now("failed", "it diverged").save(directory.outcome)
    assert (ask()["state"], ask()["error"]) == ("failed", "it diverged")
    with Lease.acquire(directory.path):
        assert (ask()["state"], ask()["error"]) == ("running", None)


def test_a_lease_from_the_future_is_told_as_the_error(described):
    directory, ask = described
    lease = directory.path / "lease.1"
    lease.write_text('{"host": "node77", "pid": 7, "started": 1.5}')
    tomorrow = time.time() + 86400
    os.utime(lease, (tomorrow, tomorrow))
    run = ask()
    assert run["state"] != "running"
    assert run["error"].startswith(f"the lease of {directory.id} by node77 is dated 24 hours ahead of this machine's")
