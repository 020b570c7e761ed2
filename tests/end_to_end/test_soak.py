"""Rows of the real Table 6, killed again and again: `make soak`, three minutes on two cores."""

import pytest
from processes import finish, kill, start
from progress import first_steps, newest_checkpoint
from snapshots import snapshot

ROWS = ("hybvit/table6", "--rows", "*(dim=192)")
KILLS = 15


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_rows_of_table6_killed_fifteen_times_end_bit_for_bit_the_same(toy_environment, fresh_results):
    """Two runs train side by side; kill whenever one of them has written a new checkpoint."""
    environment = toy_environment | {"HARNESS_CHECKPOINT_SECONDS": "0.5"}
    undisturbed, results = fresh_results("undisturbed"), fresh_results("killed")
    finish(start(environment, undisturbed, *ROWS), timeout=900)
    saved = {}
    for _ in range(KILLS):
        kill(start(environment, results, *ROWS), results, lambda run: newest_checkpoint(run) > saved.get(run.name, 0))
        saved = {run.name: newest_checkpoint(run) for run in results.glob("runs/*")}
    finish(start(environment, results, *ROWS), timeout=900)
    assert snapshot(results) == snapshot(undisturbed)
    resumed = sum(bool(step) for run in results.glob("runs/*") for step in first_steps(run))
    assert resumed >= KILLS, "some kills must hit the training"
