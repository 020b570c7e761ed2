"""`run --rehearse` on one and on several ranks, and how the other commands use its results."""

import json

import pytest


def answer(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_distinct_run_is_rehearsed_and_nothing_counts_as_a_result(harness, tmp_path):
    found = answer(harness.warm("run", "toy/table101", "toy/table102", "--rehearse", "--json"))
    assert found["ok"] is True and found["totals"]["ok"] == found["totals"]["runs"] == 3
    assert {run["name"] for run in found["runs"]} == {"hybrid", "denoising", "hybrid epochs=5"}
    assert all(run["expected_seconds"] > 0 and run["peak_memory"] > 0 for run in found["runs"])
    total = sum(run["expected_seconds"] for run in found["runs"]) / 3600
    assert found["totals"]["expected"]["core_hours"] == pytest.approx(total, abs=1e-5)

    assert not (tmp_path / "results" / "runs").exists()
    assert answer(harness("status", "--json"))["runs"] == []
    assert "hybrid" not in harness("status").stdout
    plan = answer(harness("plan", "toy/table101", "--json"))
    assert [run["state"] for run in plan["runs"]] == ["missing"] * 2
    assert {run["estimate"]["source"] for run in plan["runs"]} == {"rehearsed"}
    assert plan["totals"]["spent"]["core_hours"] == 0
    for run in plan["runs"]:
        expected = next(other["expected_seconds"] for other in found["runs"] if other["id"] == run["id"])
        assert run["estimate"]["core_hours"] == pytest.approx(expected / 3600, abs=1e-6)
    assert "by their rehearsal" in harness("plan", "toy/table101").stdout


@pytest.mark.soak
def test_two_ranks_rehearse_together_and_count_twice(harness, tmp_path):
    line = ("run", "toy/table101", "--rows", "Den*", "--rehearse", "--executor", "torchrun", "--nproc-per-node", "2")
    (run,) = answer(harness.process(*line, "--json"))["runs"]
    assert run["ok"] and run["record"]["world_size"] == 2
    assert run["expected"]["core_hours"] == pytest.approx(2 * run["expected_seconds"] / 3600, abs=1e-5)
    (folder,) = (tmp_path / "results" / "rehearsals").iterdir()
    assert not (folder / "scratch").exists()


def test_what_would_go_wrong_is_told_on_a_line_and_by_the_exit_code(harness, toy_environment, tmp_path):
    environment = toy_environment | {"TORCH_HOME": str(tmp_path), "HARNESS_DATA": str(tmp_path / "data")}
    done = harness.warm("run", "toy/table104", "--rehearse", env=environment)
    assert done.returncode == 1
    assert "0 of 1 would complete" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("few: data:")]
    assert "'few' is not prepared" in line
    assert any("needs Inception weights" in line for line in done.stdout.splitlines())
    assert "worker:" not in done.stdout and "Traceback" not in done.stdout + done.stderr


def test_a_worker_that_cannot_start_is_told_with_its_last_words(harness, toy_environment, tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('libcudart.so.12: cannot open shared object')")
    environment = toy_environment | {"PYTHONPATH": f"{tmp_path}:{toy_environment['PYTHONPATH']}"}
    done = harness.process("run", "toy/table101", "--rows", "Den*", "--rehearse", env=environment)
    assert done.returncode == 1
    assert "denoising: worker: " in done.stdout and "libcudart.so.12" in done.stdout


def test_json_is_for_rehearsals(harness):
    done = harness("run", "toy/table101", "--json")
    assert done.returncode == 2
    assert done.stderr.startswith("harness: --json is for --rehearse")
