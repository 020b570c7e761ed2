"""Files between two steps that are damaged while no worker runs are recomputed, or named; no number differs."""

import re
import shutil
import time
from pathlib import Path

import pytest
from forks import Command, finish
from judging import differences, judge_results
from mutations import kind_of, mutate
from values import REPORT

CASES = 15
ROUNDS = 4
TABLE = "toy/table102"
NOT_BETWEEN = re.compile(r"/(\.[^/]*|lease\.\d+|log\.txt|outcome\.json|progress\.json)$|/report/")
ADVICE = re.compile(r"delete (/\S+?)(?=[\s,;:]|$)|(?:corrupted record |failed: )(/\S+?)(?=:| is a link)")


@pytest.mark.soak
@pytest.mark.timeout(14400)
def test_damage_between_two_workers_changes_no_number(storm, toy_environment, finished, undisturbed, tmp_path):
    begun = time.monotonic()
    finish(toy_environment, "--results", tmp_path / "calm", "run", TABLE)
    seconds = time.monotonic() - begun
    for seed, dice in storm.cases(CASES):
        results = tmp_path / f"{seed}"
        shutil.copytree(finished[0] / "cache", results / "cache")
        command = Command(toy_environment, "--results", results, "run", TABLE)
        time.sleep(dice.uniform(0.3, 1) * seconds)
        command.kill()
        command.end()
        files = [path for path in sorted(results.rglob("*")) if path.is_file() and not NOT_BETWEEN.search(str(path))]
        kind = dice.choice(sorted({kind_of(path) for path in files}))
        path = dice.choice([path for path in files if kind_of(path) == kind])
        case = mutate(path, dice, files)
        last = run_with_advice(toy_environment, results)
        alone = last.code == 0 and differences(results, undisturbed) == [path.relative_to(results).as_posix()]
        if not (alone and is_named(path, toy_environment, results)):
            judge_results(storm, seed, case, last, results, undisturbed)
        shutil.rmtree(results, ignore_errors=True)


def run_with_advice(environment, results):
    """Run again, each time after deleting the file or folder that the last error told to delete."""
    for _ in range(ROUNDS):
        last = finish(environment, "--results", results, "run", TABLE)
        named = [Path(match[1] or match[2]) for match in ADVICE.finditer(last.said)]
        advised = [path for path in named if results in path.parents]
        if last.code == 0 or last.faults or not advised:
            return last
        for path in advised:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    return last


def is_named(path, environment, results):
    """Whether `verify` or `report` name a damaged file that no later step of the run reads."""
    words = (("verify",), REPORT)
    return any(path.name in finish(environment, "--results", results, *line).said for line in words)
