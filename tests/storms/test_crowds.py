"""Many commands at once on one results directory do not disturb each other."""

import shutil
import time

import pytest
from forks import Command, finish
from judging import judge_results
from snapshots import snapshot
from values import FIGURE, REPORT

CROWDS = 4
SIZE = 8
TABLES = ("toy/table101", "toy/table102")
READERS = (
    ["status"], ["status", "--json"], ["list"], ["plan", *TABLES], REPORT,
    ["report", "toy/table101", "--json", "--format", "json"], ["run", *TABLES, "-n"], FIGURE,
)  # fmt: skip


@pytest.mark.soak
@pytest.mark.timeout(14400)
def test_eight_commands_at_once_disturb_nothing(storm, toy_environment, finished, long_run, tmp_path):
    undisturbed = snapshot(long_run) | snapshot(finished[0])
    for seed, dice in storm.cases(CROWDS):
        results = tmp_path / f"{seed}"
        if dice.random() < 0.5:
            shutil.copytree(finished[0] / "cache", results / "cache")
        runs = [["run", *dice.sample(TABLES, dice.randint(1, 2))] for _ in range(dice.randint(2, SIZE - 2))]
        readers = [dice.choice(READERS) for _ in range(SIZE - len(runs))]
        crowd = dice.sample(runs + readers, SIZE)
        commands = []
        for line in crowd:
            time.sleep(dice.choice((0, 0, 0.2, 1)))
            commands.append(Command(toy_environment, "--results", results, *line))
        for line, command in zip(crowd, commands, strict=True):
            seen = command.end()
            for fault in seen.faults:
                storm.fault(seed, crowd, fault)
            if not seen.faults and seen.code != 0:
                storm.fault(seed, crowd, f"{line[0]} ends with {seen.code}: {seen.said[-300:]}")
        last = finish(toy_environment, "--results", results, "run", *TABLES)
        judge_results(storm, seed, crowd, last, results, undisturbed)
        shutil.rmtree(results)
