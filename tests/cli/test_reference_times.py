"""Times by the reference results where the user has no runs, and reports without names."""

import json
import re
import shutil

import pytest
from commands import CommandLine

TEXTS = ("--no-figures", "--format", "markdown")


@pytest.fixture(scope="module")
def fresh(finished, toy_environment, tmp_path_factory):
    """A results directory without runs, but with reference results: the toy's first table."""
    folder = tmp_path_factory.mktemp("fresh")
    shutil.copytree(finished[0], folder / "own")
    reference = folder / "results" / "reference"
    done = CommandLine(folder / "own", toy_environment)("report", "toy/table101", *TEXTS, "--bundle", reference)
    assert done.returncode == 0, done.stderr
    return folder / "results"


def test_list_has_times_and_says_whose_they_are(fresh, harness):
    done = harness("list", results=fresh)
    assert (
        f"no runs in {fresh} yet: times are by the reference results in {fresh / 'reference'}, measured on"
        in done.stderr
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("toy/table101 "))
    assert "0 of 5" in line and "5 of 5" in line and re.search(r"about \d+ (s|min)$", line)
    entries = {
        f"{e['paper']}/{e.get('table') or e['figure']}": e
        for e in json.loads(harness("list", "--json", results=fresh).stdout)
    }
    assert (entries["toy/table101"]["measured"], entries["toy/table101"]["reference"]) == (0, 5)
    assert 0 < entries["toy/table101"]["seconds_left"] < 300
    assert (entries["toy/table102"]["reference"], entries["toy/table102"]["seconds_left"]) == (0, None)


def test_with_own_runs_list_shows_these_alone(finished, harness):
    done = harness("list", results=finished[0])
    assert (done.stderr, "reference" in done.stdout) == ("", False)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("toy/table101 "))
    assert line.rstrip().endswith("5 of 5")


@pytest.mark.parametrize("command", [["plan", "toy/table101"], ["run", "toy/table101", "--dry-run"]])
def test_a_plan_begins_with_its_time(fresh, harness, command):
    lines = harness(*command, results=fresh).stdout.splitlines()
    assert re.match(r"2 runs at scale laptop, 0 done: about \d+ (s|min) with ", lines[0])
    assert "(2 by the reference results on " in lines[0]
    assert [line.split()[-2] for line in lines if line.startswith(("hybrid ", "denoising "))] == ["missing"] * 2
    assert sum("reference results: this run" in line for line in lines) == 2


def test_estimates_name_the_reference_as_their_source(fresh, harness):
    document = json.loads(harness("plan", "toy/table101", "--json", results=fresh).stdout)
    assert {run["estimate"]["source"] for run in document["runs"]} == {"reference"}
    assert {run["state"] for run in document["runs"]} == {"missing"}
    assert document["totals"]["done"] == 0


def test_own_measurements_come_before_those_of_the_reference(fresh, finished, harness, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(finished[0], own)
    shutil.copytree(fresh / "reference", own / "reference")
    document = json.loads(harness("plan", "toy/table101", "--seeds", "2", "--json", results=own).stdout)
    assert {run["estimate"]["source"] for run in document["runs"]} == {"done", "similar"}


def test_status_without_runs_says_how_to_begin(fresh, harness):
    done = harness("status", results=fresh)
    assert done.stdout.startswith(
        f"no runs in {fresh}: start some with 'python -m harness --results {fresh} run table6'"
    )


def test_a_report_without_names_has_a_line_for_each_exhibit_of_papers_with_results(finished, harness, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(finished[0], own)
    done = harness("report", *TEXTS, results=own)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "toy at laptop scale (8 of 15 values measured, one seed): the one claim needs more seeds "
    )
    assert "(`run toy --decide`, about " in done.stdout
    assert sum(line.startswith(("table10", "figure1")) for line in lines) == 4
    assert "Two rows & a citation (toy, scale laptop)" not in done.stdout
    assert len(lines) < 80
    assert not (own / "report" / "hybvit").exists()
    assert (own / "report" / "toy" / "table101.md").exists()


def test_named_exhibits_are_printed_whole(finished, harness, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(finished[0], own)
    one = harness("report", "toy/table101", *TEXTS, results=own).stdout.splitlines()
    assert one[0].startswith("Table 101 at laptop scale (one seed): ")
    assert any("Two rows & a citation (toy, scale laptop)" in line for line in one)
    several = harness("report", "toy", "toy/table101", *TEXTS, results=own).stdout
    assert several.startswith("toy at laptop scale")
    assert "Two rows & a citation (toy, scale laptop)" in several
    assert "A longer run, at its end and half-way (toy" not in several


def test_without_any_results_the_answer_is_that_nothing_is_measured(harness, tmp_path):
    done = harness("report", "--no-figures", "--format", "csv", results=tmp_path / "none")
    lines = done.stdout.splitlines()
    assert lines[0] == "hybvit at laptop scale: nothing is measured yet (`run hybvit`)."
    assert sum(line.endswith("  nothing is measured yet") for line in lines) == 32
    assert len(lines) < 80


def test_answers_by_paper_are_in_the_json(fresh, harness):
    document = json.loads(harness("report", "toy/table101", "--json", results=fresh).stdout)
    answer = document["answers"]["toy"]
    assert answer == document["tables"][0]["answer"]
    assert answer["says"].startswith("Table 101 at laptop scale (one seed, reference results): ")
    ledger = json.loads(harness("report", "toy/table101", "--claims", "--json", results=fresh).stdout)
    assert ledger["answers"] == document["answers"]
    assert [claim["abstract"] for claim in ledger["claims"]] == [False]
