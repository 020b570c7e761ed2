"""The command line: help, documented JSON, and error messages."""

import json
import re
import subprocess
import sys

import pytest

COMMANDS = ("list", "show", "plan", "run", "status", "logs", "cancel", "retry", "report", "doctor", "worker")
TORCHRUN = ("run", "table6", "--executor", "torchrun")
NODES = (*TORCHRUN, "--nnodes", "2", "--node-rank")


def test_help_is_complete(harness):
    done = harness("--help")
    assert done.returncode == 0
    for command in (
        "list",
        "show",
        "plan",
        "run",
        "status",
        "logs",
        "cancel",
        "retry",
        "report",
        "compare",
        "data",
        "doctor",
        "worker",
    ):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize(
    "command",
    ["list", "show", "plan", "run", "status", "logs", "cancel", "retry", "report", "compare", "doctor", "worker"],
)
def test_every_command_has_help_with_an_example(harness, command):
    text = harness(command, "--help").stdout
    assert "Example" in text
    assert f"python -m harness {command}" in text


READING = (
    ["list"],
    ["show", "table6"],
    ["plan", "all", "--json"],
    ["status"],
    ["report", "table6"],
    ["run", "table6", "--dry-run"],
    ["data", "list"],
    ["data", "list", "--json"],
    ["data", "verify"],
)
CALL = f"""
import sys
from harness.cli.main import main

assert main(["--help"]) == 0
heavy = {{"torch", "numpy", "scipy", "matplotlib", "pydantic", "rich"}} & sys.modules.keys()
assert not heavy, heavy
for command in {READING}:
    assert main(["--results", sys.argv[1], "--data", sys.argv[1], *command]) == 0, command
    assert "torch" not in sys.modules, command
"""


def test_help_imports_nothing_heavy_and_no_reading_command_imports_torch(toy_environment, tmp_path):
    command = [sys.executable, "-c", CALL, str(tmp_path)]
    done = subprocess.run(command, env=toy_environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_show_has_the_documented_shape(harness):
    document = json.loads(harness("show", "table6", "--json").stdout)
    assert list(document) == ["paper", "table", "title", "metrics", "rows"]
    assert (document["paper"], document["table"]) == ("hybvit", "table6")
    assert document["metrics"] == ["accuracy", "inception_score", "fid"]
    assert len(document["rows"]) == 13
    assert document["rows"][0] == {
        "section": "",
        "label": "HybViT",
        "source": "own",
        "sources": {"accuracy": "own", "inception_score": "own", "fid": "own"},
        "reported": {"accuracy": 95.9, "inception_score": 7.68, "fid": 26.4},
        "reported_sd": {"accuracy": None, "inception_score": None, "fid": None},
        "reported_n": {"accuracy": None, "inception_score": None, "fid": None},
        "run": document["rows"][0]["run"],
    }
    assert document["rows"][-1]["reported"]["accuracy"] is None
    cited = json.loads(harness("show", "toy/table101", "--json").stdout)["rows"][-1]
    assert (cited["source"], cited["run"]) == ("cited", None)


def test_plan_has_the_documented_shape(harness):
    document = json.loads(harness("plan", "table6", "--scale", "paper", "--json").stdout)
    assert list(document) == ["scale", "runs", "totals", "arrays"]
    keys = {
        "id",
        "name",
        "tables",
        "config",
        "parameters",
        "iterations",
        "train_flops",
        "reported_gpu_hours",
        "state",
        "estimate",
        "spent",
    }
    assert all(keys <= run.keys() for run in document["runs"])
    assert document["runs"][0]["parameters"] == 11_185_068
    assert document["runs"][0]["config"]["training"]["weight_decay"] == 0.05


def test_list_counts_cells(harness):
    listed = {entry["table"]: entry for entry in json.loads(harness("list", "--json").stdout) if "table" in entry}
    assert (listed["table6"]["rows"], listed["table6"]["cells"], listed["table6"]["measured"]) == (13, 36, 0)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "tabel6"], ["unknown table or figure 'tabel6'", "did you mean 'table6'"]),
        (["run", "table6", "--scale", "papr"], ["unknown scale 'papr'", "did you mean 'paper'", "laptop"]),
        (["run", "table6", "--rows", "GanVit*"], ["unknown row of table6 'GanVit*'", "GenViT(dim=192)"]),
        (["run"], ["Missing argument", "TABLE"]),
        (["run", "table6", "--seeds", "0"], ["--seeds", "0"]),
        (["run", "table6", "--sede", "3"], ["--sede", "--seeds"]),
        (["rnu", "table6"], ["unknown command 'rnu'", "did you mean 'run'"]),
        (["show", "all"], ["'all' matches", "table6"]),
        (["report", "table6", "--format", "latx"], ["unknown format 'latx'", "did you mean 'latex'"]),
        (["worker", "0123"], ["unknown run '0123'"]),
        (["run", "table6", "--executor", "torchrn"], ["'torchrn' is not one of", "'local', 'torchrun'"]),
        (["run", "table6", "--nproc-per-node", "2"], ["--nproc-per-node is for --executor torchrun", "with local"]),
        (["retry", "--failed", "--max-restarts", "2"], ["--max-restarts is for --executor torchrun"]),
        ([*TORCHRUN, "--nnodes", "2"], ["--nnodes 2 needs --node-rank too"]),
        ([*TORCHRUN, "--node-rank", "0"], ["--node-rank is for several nodes", "--nnodes of at least 2"]),
        ([*NODES, "2", "--rdzv-endpoint", "a:1"], ["--node-rank 2", "allowed: 0 to 1"]),
        ([*NODES, "0", "--rdzv-endpoint", "node1"], ["'node1'", "allowed: HOST:PORT"]),
        (
            [*NODES, "0", "--rdzv-endpoint", "a:1", "--workers", "2"],
            ["--workers 2", "one run at a time"],
        ),
        (["cancel"], ["no run given", "status"]),
        (["cancel", "0123"], ["unknown run '0123'"]),
        (["retry", "0123", "--failed"], ["--failed selects the runs already: leave out 0123"]),
        (["logs", "0123", "--lines", "-1"], ["--lines", "-1"]),
    ],
)
def test_a_users_error_is_one_line_and_exit_code_two(harness, arguments, parts):
    done = harness(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("harness: ")
    for part in parts:
        assert part in done.stderr


def test_no_command_at_all_shows_the_help(harness):
    done = harness()
    assert "Commands:" in done.stdout + done.stderr


def test_status_of_nothing_says_how_to_begin(harness):
    assert re.search(r"'python -m harness --results \S+ run table6'", harness("status").stdout)
    document = json.loads(harness("status", "--json").stdout)
    assert (document["runs"], document["totals"], document["spent"]["gpu_hours"]) == ([], {}, 0)


def test_a_dry_run_prints_the_plan_and_writes_nothing(harness, tmp_path):
    done = harness("run", "table6", "--dry-run")
    assert done.returncode == 0
    assert "13 distinct runs" in done.stdout
    assert not (tmp_path / "results").exists()
