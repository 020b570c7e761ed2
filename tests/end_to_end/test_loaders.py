"""Whole runs with every loader end with the same bits, even if killed or stopped in between."""

import json
import os
import signal

import pytest
import warm
from backends import needs_ffcv
from processes import finish, held, kill, start
from snapshots import snapshot

TABLE = ("toy/table101", "--rows", "Hybrid*")


def segments(results):
    return [json.loads(path.read_text()) for path in sorted(results.glob("runs/*/segments/*.json"))]


@pytest.fixture
def own_data(toy_environment, tmp_path):
    """The toy's environment with a data folder of its own."""
    return toy_environment | {"HARNESS_DATA": str(tmp_path / "data")}


@pytest.mark.parametrize("loader", ["torch", pytest.param("ffcv", marks=needs_ffcv)])
def test_a_run_ends_with_the_same_bits_with_every_loader(finished, fresh_results, own_data, loader):
    """Two workers train at once on data that neither finds prepared."""
    results = fresh_results()
    output = warm.finish(own_data, results, "toy/table101", "--workers", "2", "--loader", loader)
    assert f"loader: {loader} (as asked), 2 runs\n" in output
    assert snapshot(results) == snapshot(finished[0])
    assert {segment["loader"] for segment in segments(results)} == {f"{loader} (as asked)"}


def test_without_a_wish_the_command_says_what_was_taken(finished):
    _, done = finished
    reason = "images of up to 64 pixels that fit into half of the free memory"
    assert f"loader: resident ({reason}), 2 runs\n" in done.stdout


@needs_ffcv
@pytest.mark.soak
def test_killed_under_ffcv_and_resumed_with_it(finished, fresh_results, own_data):
    results = fresh_results()
    kill(start(own_data, results, *TABLE, "--loader", "ffcv"), results)
    finish(start(own_data, results, *TABLE, "--loader", "ffcv"))
    assert len(segments(results)) == 2
    assert snapshot(results).items() <= snapshot(finished[0]).items()


@needs_ffcv
@pytest.mark.soak
def test_interrupted_under_ffcv_and_resumed_without_it(finished, fresh_results, own_data):
    results = fresh_results()
    process = start(own_data, results, *TABLE, "--loader", "ffcv")
    with held(process, results):
        os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "interrupted; the same command continues from here" in output
    finish(start(own_data, results, *TABLE, "--loader", "resident"))
    assert snapshot(results).items() <= snapshot(finished[0]).items()
    assert len(segments(results)) == 2
