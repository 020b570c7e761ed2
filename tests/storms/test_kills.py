"""Runs killed at random end with the bits of an undisturbed one, and leave nothing behind."""

import shutil
import signal
import time

import pytest
from forks import Command, finish
from judging import judge_results

KILLS = 30
AT_MOST = 6
"""The kills of one run."""
TABLES = ("toy/table102",)


@pytest.mark.soak
@pytest.mark.timeout(14400)
def test_runs_killed_at_random_end_bit_for_bit_the_same(storm, toy_environment, finished, undisturbed, tmp_path):
    begun = time.monotonic()
    finish(toy_environment, "--results", tmp_path / "calm", "run", *TABLES)
    seconds = time.monotonic() - begun
    for seed, dice in storm.cases(KILLS / AT_MOST * 2):
        results = tmp_path / f"{seed}"
        if dice.random() < 0.5:  # else the feature space is trained too
            shutil.copytree(finished[0] / "cache", results / "cache")
        case = []
        for _ in range(dice.randint(1, AT_MOST)):
            command = Command(toy_environment, "--results", results, "run", *TABLES)
            case.append(strike(command, dice, seconds, results))
            for fault in command.end().faults:
                storm.fault(seed, case, fault)
        last = finish(toy_environment, "--results", results, "run", *TABLES)
        judge_results(storm, seed, case, last, results, undisturbed)
        shutil.rmtree(results)


def strike(command, dice, seconds, results):
    """Kill the command, its workers, or both within some seconds, at times amid a write; return what was done."""
    after, amid = dice.uniform(0, seconds), dice.random() < 0.4
    time.sleep(after)
    while amid and command.running and not is_writing(results):
        pass
    whom = dice.choice(("all", "all", "workers", "command"))
    if whom == "all":
        command.kill()
    for process in command.workers() if whom == "workers" else [command.pid] if whom == "command" else []:
        command.signal(process, signal.SIGKILL)
    return f"{whom} after {after:.2f} s{', amid a write' if amid else ''}"


def is_writing(results):
    """Whether there is a temporary file of a run."""
    return any(folder for pattern in ("runs/*/.*", "runs/*/*/.*") for folder in results.glob(pattern))
