"""TensorBoard event files match the run directory, whatever happened to the run."""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from processes import finish, kill, start
from progress import epochs, first_steps, trains_in
from snapshots import snapshot

from harness.store.curves import read_curve
from harness.store.records import EvaluationRecord
from harness.store.results import Results
from harness.worker.event_files import EventFiles

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
TABLE = "toy/table102"
EPOCHS = (1, 1, 2, 3)
"""Epochs between kills: the event files then have a point that is usually newer than the last checkpoint."""


def scalars(run):
    """Return the points of each tag of a run as TensorBoard loads them, in file order."""
    shown = event_accumulator.EventAccumulator(str(run.path / "tensorboard"), {"scalars": 0, "images": 0}).Reload()
    return {tag: [(point.step, point.value) for point in shown.Scalars(tag)] for tag in shown.Tags()["scalars"]}, shown


def expected(run):
    """Return the values of its curves and records in the precision of event files."""
    found = {}
    for point in read_curve(run.metrics):
        for name in point.keys() - {"step", "epoch"}:
            found.setdefault(f"training/{name}", []).append((point["step"], point[name]))
    for path in run.evaluations.glob("*.json"):
        record = EvaluationRecord.load(path)
        step = round(run.run().iterations * record.evaluation["after"])
        for name, measured in record.quantities.items():
            found[f"{path.stem}/{name}"] = [(step, measured.value)]
    return {tag: [(step, float(np.float32(value))) for step, value in points] for tag, points in found.items()}


@pytest.fixture(scope="module")
def shown(toy_environment, finished, tmp_path_factory):
    """Results of runs that were killed repeatedly while writing event files."""
    results = tmp_path_factory.mktemp("shown")
    shutil.copytree(finished[0] / "cache", results / "cache")
    for stay, count in enumerate(EPOCHS, 1):
        process = start(toy_environment, results, TABLE, "--tensorboard")
        kill(process, results, lambda run, stay=stay, count=count: trains_in(run, stay) and epochs(run) >= count)
    (run,) = results.glob("runs/*")
    assert list(run.glob("tensorboard/events*"))
    finish(start(toy_environment, results, TABLE, "--tensorboard"))
    assert sum(first > 0 for first in first_steps(run)[1:]) == len(EPOCHS), "kills must have hit the training itself"
    return results


def test_after_kills_the_files_say_what_the_directory_says(shown):
    runs = Results(shown).all()
    assert runs
    for run in runs:
        found, accumulator = scalars(run)
        assert found == expected(run)
        assert any(tag.startswith("training/") for tag in found)
        assert [path.stat().st_size > 0 for path in sorted((run.path / "tensorboard").iterdir())] in (
            [True],
            [False, True],
        )
        generated = {path.parent.name for path in run.evaluations.glob("*/samples.npy")}
        assert {tag.split("/")[0] for tag in accumulator.Tags()["images"]} == generated
        times = [point.wall_time for point in accumulator.Scalars(next(iter(found)))]
        assert times == sorted(times)
        assert run.path.stat().st_ctime - 3600 < times[0] <= time.time()


def test_an_open_tensorboard_drops_lost_points_and_duplicates(shown, tmp_path):
    run = Results(shutil.copytree(shown, tmp_path / "copy")).all()[0]
    whole = run.metrics.read_text()
    folder = str(run.path / "tensorboard")
    display = event_accumulator.EventAccumulator(folder, {"scalars": 0}).Reload()
    tag = next(tag for tag in display.Tags()["scalars"] if tag.startswith("training/"))
    points = [(point.step, point.value) for point in display.Scalars(tag)]
    run.metrics.write_text("".join(line + "\n" for line in whole.splitlines()[:1]))
    again = EventFiles(run, run.run())
    again.update()
    assert [point.step for point in display.Reload().Scalars(tag)] == [points[0][0]]
    run.metrics.write_text(whole)
    again.update()
    assert [(point.step, point.value) for point in display.Reload().Scalars(tag)] == points


def test_numbers_and_identities_are_those_of_runs_without(shown, undisturbed, tmp_path):
    without = shutil.copytree(shown, tmp_path / "without", ignore=shutil.ignore_patterns("tensorboard"))
    assert snapshot(without) == undisturbed


@pytest.mark.parametrize("obstacle", ["no package", "no folder", "a broken curve"])
def test_what_goes_wrong_is_one_line_in_the_log(shown, tmp_path, monkeypatch, caplog, obstacle):
    run = Results(shutil.copytree(shown, tmp_path / "copy")).all()[0]
    if obstacle == "no package":
        monkeypatch.setitem(sys.modules, "tensorboard.plugins.hparams.summary_v2", None)
    elif obstacle == "no folder":
        shutil.rmtree(run.path / "tensorboard")
        (run.path / "tensorboard").write_text("a file")
    else:
        run.metrics.unlink()
        run.metrics.mkdir()
    events = EventFiles(run, run.run())
    with caplog.at_level("WARNING", "harness.worker"):
        events.update()
        events.update()
    (line,) = caplog.messages
    assert line.startswith("no event files for TensorBoard: ")
    assert line.endswith("; the run continues without them")
    if obstacle == "no package":
        assert "pip install -c constraints.txt -e '.[tensorboard]'" in line


def test_a_full_disk_never_ends_a_run(shown, tmp_path, caplog):
    run = Results(shutil.copytree(shown, tmp_path / "copy")).all()[0]
    events = EventFiles(run, run.run())
    events.update()
    events._file = Path("/dev/full")
    with open(run.metrics, "a", encoding="utf-8") as curve:
        curve.write('{"epoch": 1000, "step": 1000000, "loss": 1}\n')
    with caplog.at_level("WARNING", "harness.worker"):
        events.update()
    assert caplog.messages == [
        "no event files for TensorBoard: [Errno 28] No space left on device; the run continues without them"
    ]
