"""Rows of the real Table 6, killed again and again: `make soak`, three minutes on two cores."""

import random
import time

import pytest
from processes import finish, killed, start
from snapshots import snapshot

ROWS = ("hybvit/table6", "--rows", "*(dim=192)")
KILLS = 15


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_rows_of_table6_killed_fifteen_times_end_bit_for_bit_the_same(toy_environment, fresh_results):
    begun, undisturbed = time.monotonic(), fresh_results("undisturbed")
    environment = toy_environment | {"HARNESS_CHECKPOINT_SECONDS": "2"}
    finish(start(environment, undisturbed, *ROWS), timeout=900)
    seconds, dice, results = time.monotonic() - begun, random.Random(1), fresh_results("killed")
    kills = sum(killed(start(environment, results, *ROWS), dice.uniform(0.1, 0.5) * seconds) for _ in range(KILLS))
    finish(start(environment, results, *ROWS), timeout=900)
    assert kills >= 2
    assert snapshot(results) == snapshot(undisturbed)
