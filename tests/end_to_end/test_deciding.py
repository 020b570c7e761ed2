"""`run --decide`: the same rounds whether it is killed, started twice or never disturbed, and a report at its level."""

import json
import os
import signal
from pathlib import Path

import pytest
from distributions import install, on_path
from processes import finish, kill, start

from harness.exit_codes import ExitCode
from harness.store.decisions import decisions

DECIDE = ("points/table2", "--decide", "--most-seeds", "4")
KILLS = """

import os
import signal


def _kill(self, step):
    os.kill(os.getpid(), signal.SIGKILL)


CloudMethod.training_step = _kill
"""


@pytest.fixture(scope="module")
def points(toy_environment, tmp_path_factory):
    """An environment with a paper of tiny runs, four rows and claims about them."""
    site = tmp_path_factory.mktemp("site")
    install(site, "points-paper", {}, papers=["points = points_paper:PAPER"])
    return on_path(toy_environment, site)


@pytest.fixture(scope="module")
def decided(points, tmp_path_factory):
    """A results directory in which the claims were decided without disturbance, and the output."""
    results = tmp_path_factory.mktemp("decided") / "results"
    return results, finish(start(points, results, *DECIDE))


def rounds(results):
    """Return the rounds of the only decision, and the runs that there are."""
    (decision,) = decisions(results)
    return decision.rounds, sorted(path.name for path in (results / "runs").iterdir())


def test_seeds_are_added_to_rows_of_undecided_claims_only(decided):
    results, said = decided
    first, *later = rounds(results)[0]
    assert [(one.row, one.seed) for one in first.added] == [(f"width={width}", 0) for width in (1, 2, 16, 32)]
    assert later and all(one.seed == number for number, each in enumerate(later, 1) for one in each.added)
    runs = {one for each in rounds(results)[0] for one in each.added}
    assert len(rounds(results)[1]) == len(runs) < 16, "not every row needs four seeds"
    assert "4 claims by intervals of 98.18 %" in said
    assert "seeds do not help" in said, "samples do not depend on the width, so one claim is undecidable"


def test_a_killed_command_goes_on_with_the_same_rounds(decided, points, tmp_path):
    results = tmp_path / "results"
    kill(start(points, results, *DECIDE), results)
    begun = start(points, results, *DECIDE)
    lines = iter(begun.stdout.readline, "")
    assert any(line.startswith("round 2") for line in lines)
    assert any("seed=1: started" in line for line in lines)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate()
    assert "round 2 of at most 4" in finish(start(points, results, *DECIDE))
    assert rounds(results) == rounds(decided[0])


def test_two_commands_at_once_work_on_the_same_rounds(decided, points, tmp_path):
    results = tmp_path / "results"
    both = [start(points, results, *DECIDE, "--workers", "1") for _ in range(2)]
    for process in both:
        finish(process)
    assert rounds(results) == rounds(decided[0])


def test_a_decision_that_is_over_adds_nothing(decided, points):
    results, _ = decided
    before = rounds(results)
    said = finish(start(points, results, *DECIDE))
    assert "4 claims by intervals" in said and "round" not in said
    assert rounds(results) == before


def test_reports_are_at_the_level_of_the_decision(decided, points, harness):
    results, _ = decided
    said = harness.warm("report", "points/table2", "--json", results=results, env=points)
    claims = json.loads(said.stdout)["tables"][0]["claims"]
    levels = {contrast["level"] for claim in claims for contrast in claim["contrasts"]}
    assert levels == {0.981789}


def test_plan_says_what_claims_turn_on_and_takes(decided, points, harness):
    results, _ = decided
    text = harness.warm("plan", *DECIDE[:2], results=results, env=points).stdout
    assert "However often one looks, up to 10 seeds of a row" in text and "98.94 %" in text
    assert "'report' decides" not in text, "reports are at the level of the decision"
    found = json.loads(harness.warm("plan", *DECIDE[:2], "--json", results=results, env=points).stdout)
    assert found["most_seeds"] == 10 and found["level"] == 0.989381
    assert {claim["where"] for claim in found["claims"]} >= {"§3"}
    for claim in found["claims"]:
        helped = claim["seeds_do_not_help"] is None
        assert helped == bool(claim["rows"]) == (claim["runs"] is not None)
    assert sum(found["statuses"].values()) == 4


def test_a_budget_that_is_spent_ends_the_rounds(points, tmp_path, harness):
    results = tmp_path / "results"
    said = finish(start(points, results, *DECIDE, "--budget", "0"))
    assert "--budget 0 ends it" in said
    assert len(rounds(results)[0]) == 1
    planned = harness.warm("plan", *DECIDE, "--budget", "0", results=results, env=points).stdout
    assert "--budget 0 allows no more runs" in planned and "of which --budget allows 0 device-hours" in planned
    reported = harness.warm("report", "points/table2", "--no-figures", results=results, env=points).stdout
    assert "`run points/table2 --decide --most-seeds 4`" in reported, "the plan that is recorded goes on"


def test_a_plan_before_the_first_run_is_the_first_round(points, harness):
    assert harness.warm("plan", *DECIDE, env=points).stdout == "round 1: 4 runs to do (seed 0 of every row)\n"
    found = json.loads(harness.warm("plan", *DECIDE, "--json", env=points).stdout)
    assert len(found["next_round"]["runs"]) == found["all_rounds"]["runs"][0] == 4
    assert {claim["seeds_do_not_help"] for claim in found["claims"]} == {None}
    dry = harness.warm("run", *DECIDE, "--dry-run", env=points).stdout
    assert dry.startswith("round 1: 4 runs") and "cloud width=32" in dry


def test_seeds_added_by_hand_widen_intervals_and_fixed_ones_do_not(points, tmp_path, harness):
    fixed, added = tmp_path / "fixed", tmp_path / "added"
    finish(start(points, fixed, "points/table2", "--seeds", "2", "--rows", "width=1", "--rows", "width=2"))
    assert not list(decisions(fixed))
    finish(start(points, added, "points/table2", "--rows", "width=1", "--rows", "width=2"))
    said = finish(start(points, added, "points/table2", "--seeds", "2", "--rows", "width=1", "--rows", "width=2"))
    assert "by intervals of 97.06 % from now on" in said
    assert [one.most_seeds for one in decisions(added)] == [2]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--most-seeds", "4"), "--most-seeds is for --decide"),
        (("--budget", "1"), "--budget is for --decide"),
        (("--decide", "--rehearse"), "--rehearse is not for --decide"),
        (("--decide", "--stale"), "--stale is not for --decide"),
        (("--decide", "--share", "0/2"), "--share is not for --decide"),
        (("--decide", "--budget", "nan"), "nan is not a number of hours"),
        (("--decide", "--budget", "-1"), "-1"),
        (("--decide", "--most-seeds", "21"), "21"),
        (("--decide", "--seeds", "11"), "--seeds 11 with --most-seeds 10"),
    ],
)
def test_options_that_contradict_each_other_are_refused(harness, options, says):
    refused = harness("run", "toy/table101", *options)
    assert refused.returncode == ExitCode.USAGE
    assert says in refused.stderr and "Traceback" not in refused.stderr


def test_a_failed_run_gets_no_more_seeds(toy_environment, fresh_results):
    """The claim of toy/table103's row that diverges is not measured, and nothing is tried again."""
    results = fresh_results()
    begun = start(toy_environment, results, "toy/table103", "--decide")
    said, _ = begun.communicate(timeout=300)
    assert begun.returncode == 1, said
    again = start(toy_environment, results, "toy/table103", "--decide")
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0 and "to do" not in said


def test_a_run_that_kills_its_worker_is_not_tried_without_end(toy_environment, tmp_path):
    source = Path(__file__).parents[1].joinpath("support", "points_nn.py").read_text() + KILLS
    site = install(tmp_path, "points-paper", {"points_nn.py": source}, papers=["points = points_paper:PAPER"])
    rows = ("--rows", "width=1", "--rows", "width=16")
    begun = start(on_path(toy_environment, site), tmp_path / "results", *DECIDE, *rows)
    try:
        said, _ = begun.communicate(timeout=200)
    finally:
        if begun.poll() is None:
            os.killpg(begun.pid, signal.SIGKILL)
    assert begun.returncode == 1 and "killed by signal 9" in said
    assert said.count("round 1") == 1


def test_a_profile_is_not_for_the_outlook(harness):
    refused = harness("plan", "toy/table101", "--decide", "--profile", "lab")
    assert refused.returncode == ExitCode.USAGE and "--profile is not for --decide" in refused.stderr
