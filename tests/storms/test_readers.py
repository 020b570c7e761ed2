"""Commands that read beside workers that are killed show nothing wrong, and never fail."""

import shutil
import time

import pytest
from forks import Command
from judging import judge_results
from live import look, page_of
from snapshots import snapshot
from values import FIGURE, REPORT, VALUES, values
from watched import watch

STORMS = 3
KILLS = 4
TABLES = ("toy/table101", "toy/table102")


@pytest.mark.soak
@pytest.mark.timeout(14400, method="thread")
def test_readers_beside_kills_show_what_is_there(storm, toy_environment, harness, finished, long_run, tmp_path):
    undisturbed = snapshot(long_run) | snapshot(finished[0])
    whole = values(watch(harness, *VALUES, results=finished[0])) | {
        key: value for key, value in values(watch(harness, *VALUES, results=long_run)).items() if key[0] == "table102"
    }
    lines = (
        ["status"], ["status", "--json"], ["list"], ["plan", *TABLES], REPORT,
        FIGURE, ["compare", finished[0], tmp_path], ["run", *TABLES, "-n"],
    )  # fmt: skip
    for seed, dice in storm.cases(STORMS):
        results = tmp_path / f"{seed}"
        shutil.copytree(finished[0] / "cache", results / "cache")
        page, kills, case = page_of(results), 0, f"{KILLS} kills"
        while True:
            command = Command(toy_environment, "--results", results, "run", *TABLES)
            until = time.monotonic() + dice.uniform(0.5, 6)
            while command.running and (kills == KILLS or time.monotonic() < until):
                for fault in watch(harness, *dice.choice(lines), results=results).faults + list(look(page)):
                    storm.fault(seed, case, fault)
                seen = watch(harness, *VALUES, results=results)
                for fault in seen.faults:
                    storm.fault(seed, case, fault)
                shown = values(seen) if seen.code == 0 else {}
                if wrong := {key: value for key, value in shown.items() if value not in (None, whole[key])}:
                    storm.fault(seed, case, f"shows {wrong}")
            if kills == KILLS or not command.running:
                break
            command.kill()
            command.end()
            kills += 1
        judge_results(storm, seed, case, command.end(), results, undisturbed)
        if page.state["problem"] or any(look(page)):
            storm.fault(seed, case, f"the page has a problem: {page.state['problem']}")
        shutil.rmtree(results)
