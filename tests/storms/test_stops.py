"""Workers that stop for longer than their lease, while another takes over, change no bit and leave nothing behind."""

import shutil
import signal
import time

import lease_times
import pytest
from forks import Command, finish
from judging import judge_results

STOPS = 6
SECONDS = 4.0
TABLE = "toy/table102"


@pytest.mark.soak
@pytest.mark.timeout(14400)
def test_workers_stopped_beyond_their_lease_change_nothing(storm, toy_environment, fresh_results, undisturbed):
    for seed, dice in storm.cases(STOPS):
        results = fresh_results(f"{seed}")
        line = ("--results", results, "run", TABLE)
        first = Command(toy_environment, *line, prepare=lease_times.shorten)
        time.sleep(dice.uniform(0, SECONDS))
        stopped = [first.pid, *first.workers()] if dice.random() < 0.3 else first.workers()
        for process in stopped:
            first.signal(process, signal.SIGSTOP)
        time.sleep(lease_times.STALE_AFTER_SECONDS * dice.uniform(1, 1.5))
        second = Command(toy_environment, *line, prepare=lease_times.shorten)
        asleep = dice.uniform(0, SECONDS)
        time.sleep(asleep)
        for process in stopped:
            first.signal(process, signal.SIGCONT)
        case = f"{len(stopped)} processes stopped, awake {asleep:.2f} s after the second began"
        seen = [first.end(), second.end()]
        for fault in [*seen[0].faults, *seen[1].faults]:
            storm.fault(seed, case, fault)
        if not seen[1].faults and seen[1].code != 0:
            storm.fault(seed, case, f"the second ends with {seen[1].code}: {seen[1].said[-300:]}")
        if not seen[0].faults and seen[0].code != 0:
            storm.fault(seed, case, f"the first ends with {seen[0].code}: {seen[0].said[-300:]}")
        judge_results(storm, seed, case, finish(toy_environment, *line), results, undisturbed)
        shutil.rmtree(results)
