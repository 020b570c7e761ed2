"""`harness logs --follow`: when it ends."""

import shutil
from contextlib import ExitStack

from harness.cli import logs
from harness.store.lease import Lease
from harness.store.results import Results


def test_following_a_run_with_all_records_waits_for_the_last_lines_of_its_worker(
    harness, finished, tmp_path, monkeypatch
):
    shutil.copytree(finished[0] / "runs", tmp_path / "results" / "runs")
    run = Results(tmp_path / "results").all()[0]

    def waited(seconds):
        """While the command waits for the first time, the worker logs its last line and gives up the lease."""
        if seconds:
            with open(run.log, "a") as log:
                log.write("INFO its last line\n")
            worker.close()

    with ExitStack() as worker:
        worker.enter_context(Lease.acquire(run.path))
        monkeypatch.setattr(logs.time, "sleep", waited)
        followed = harness("logs", run.id, "--follow", "--lines", "1", results=tmp_path / "results")
    assert followed.returncode == 0
    assert followed.stdout.endswith("INFO its last line\n")
