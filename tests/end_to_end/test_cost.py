"""Cost of real runs: always recorded, and used by the plan's estimates."""

import csv
import json
import shutil

import pytest
from processes import finish, kill, start
from toy_paper import HYBRID, LONG

TABLE = "toy/table102"
TEXTS = ("--no-figures", "--format", "markdown,latex,csv")


def load(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def segments(results):
    return [json.loads(path.read_text()) for path in sorted(results.glob("runs/*/segments/*.json"))]


def core_hours(*stays):
    return sum(stay["seconds"] * stay["world_size"] for stay in stays) / 3600


def test_a_segment_covers_training_evaluations_and_the_rest(finished):
    for stay in segments(finished[0]):
        assert (stay["first_step"], stay["world_size"], stay["devices"]) == (0, 1, 1)
        assert stay["steps"] == HYBRID.iterations
        assert 0 < stay["first_step_seconds"] < stay["training_seconds"]
        assert stay["evaluations"]
        assert stay["training_seconds"] + sum(stay["evaluations"].values()) <= stay["seconds"]
        assert stay["device_name"]
        assert stay["energy_joules"] is None


def test_status_and_reports_show_what_was_spent(finished, harness, tmp_path):
    results = shutil.copytree(finished[0], tmp_path / "copy")
    expected = core_hours(*segments(results))
    status = load(harness("status", "--json", results=results))
    assert status["spent"]["core_hours"] == pytest.approx(expected, abs=1e-5)
    assert sum(run["spent"]["core_hours"] for run in status["runs"]) == pytest.approx(expected, abs=1e-5)
    assert "core-hours" in harness("status", results=results).stdout
    (report,) = load(harness("report", "toy/table101", "--json", results=results))["tables"]
    assert report["spent"]["core_hours"] == pytest.approx(expected, abs=1e-5)
    assert report["spent"]["energy_joules"] is None
    assert report["spent"]["runs"].keys() == {run["id"] for run in status["runs"]}
    assert "Cost of these runs so far" in harness("report", "toy/table101", *TEXTS, results=results).stdout
    folder = results / "report" / "toy"
    assert all("Cost of these runs so far" in (folder / f"table101.{ending}").read_text() for ending in ("md", "tex"))
    lines = list(csv.DictReader((folder / "table101.csv").open()))
    costs = {line["runs"]: float(line["runs_core_hours"]) for line in lines if line["runs"]}
    assert costs == {run: usage["core_hours"] for run, usage in report["spent"]["runs"].items()}


def test_the_plan_goes_by_measured_speed(finished, harness, tmp_path):
    """Nothing for a finished run, the measured time for one without its record, and the same for one like it."""
    results = shutil.copytree(finished[0], tmp_path / "copy")
    runs = load(harness("plan", "toy/table101", "toy/table102", "--json", results=results))["runs"]
    estimates = {run["name"]: run["estimate"] for run in runs}
    assert estimates["hybrid"] == {
        "gpu_hours": None, "core_hours": 0.0, "source": "done", "device": None, "says": "nothing is left to do",
    }  # fmt: skip
    assert estimates["hybrid epochs=5"]["source"] == "similar"
    (lost,) = (run["id"] for run in runs if run["name"] == "hybrid")
    (results / "runs" / lost / "training.json").unlink()
    took = json.loads((results / "runs" / lost / "segments" / "1.json").read_text())
    document = load(harness("plan", "toy/table101", "--json", "--workers", 3, results=results))
    (again,) = (run["estimate"] for run in document["runs"] if run["id"] == lost)
    assert (again["source"], again["device"]) == ("measured", took["device_name"])
    # Without its training record no record of the run counts: evaluations are estimated too, from those of both runs.
    alike = sum(sum(stay["evaluations"].values()) for stay in segments(results) if stay != took)
    assert 0.5 * took["training_seconds"] <= 3600 * again["core_hours"] <= took["seconds"] + alike
    total = document["totals"]["estimate"]
    assert (total["longest_chain"], total["workers"], total["unknown"]) == ([lost], 3, 0)
    assert total["wall_hours"] == total["longest_chain_hours"] == pytest.approx(again["core_hours"])
    dry = harness("run", "toy/table101", "--dry-run", results=results).stdout
    assert "left to do: " in dry
    assert "longest chain: " in dry


def test_a_profile_adds_its_arrays(harness):
    document = load(harness("plan", "table6", "--profile", "lab", "--json"))
    features, runs = document["arrays"]
    assert (features["kind"], features["tasks"], features["stage"]) == ("features", 1, 0)
    assert (runs["kind"], runs["tasks"], runs["at_a_time"], runs["resources"]["cpus_per_task"]) == ("runs", 13, 8, 4)
    assert sorted(run for task in runs["runs"] for run in task) == sorted(run["id"] for run in document["runs"])
    assert load(harness("plan", "table6", "--json"))["arrays"] is None
    paper = load(harness("plan", "table6", "--profile", "lab", "--scale", "paper", "--json"))["totals"]["estimate"]
    assert paper["longest_chain"][0] == "features"
    assert paper["workers"] == 8
    wrong = harness("plan", "table6", "--profile", "lba")
    assert wrong.returncode == 2
    assert "unknown profile 'lba': did you mean 'lab'" in wrong.stderr


def test_what_a_killed_worker_spent_is_not_lost(toy_environment, fresh_results, harness):
    results = fresh_results()
    kill(start(toy_environment, results, TABLE), results)
    (killed,) = segments(results)
    assert killed["steps"] >= 1
    assert killed["seconds"] >= killed["training_seconds"] > 0
    finish(start(toy_environment, results, TABLE))
    first, second = segments(results)
    assert first == killed
    assert 0 < second["first_step"] <= killed["steps"]
    assert second["first_step"] + second["steps"] == LONG.iterations
    usage = load(harness("status", "--json", results=results))["spent"]["core_hours"]
    assert usage == pytest.approx(core_hours(first, second), abs=1e-5)
