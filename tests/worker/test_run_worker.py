"""A worker on runs without classes, and on runs with selection of the best state."""

import json
import shutil

import foreign
import numpy as np
import pytest
import torch
from foreign import MLP_RUN, REGRESSION_RUN, TOKEN_RUN, TRAINING, PlainMLP
from vouching import keep_hashes

from harness.config.evaluations import Accuracy, Runtime, Size
from harness.config.execution import Execution
from harness.config.optimisation import SGD, StepDecay
from harness.config.run import Run
from harness.config.training import BestOn
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.errors import SpecError
from harness.exit_codes import ExitCode
from harness.methods.base import build_method
from harness.store.arrays import save_array
from harness.store.curves import read_curve
from harness.store.rehearsals import Rehearsals
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.training.checkpoints import load_tensors
from harness.training.distributed import Communicator
from harness.worker.context import Context
from harness.worker.event_files import EventFiles
from harness.worker.rehearsal.run_rehearsal import rehearse
from harness.worker.run_worker import RunWorker, work
from harness.worker.segment_recorder import SegmentRecorder
from harness.worker.stop import Stopped, StopRequest
from harness.worker.validation import Validator

CPU = torch.device("cpu")
EPOCH = 1437 // 60
UNSTEADY = TRAINING.but(
    epochs=6,
    ema_decay=None,
    clip_norm=None,
    optimizer=SGD(learning_rate=0.05),
    schedule=StepDecay(milestones=(4,), decay=30),
)
"""After four epochs the learning rate rises so high that the accuracy falls, on every processor."""
SELECTED = Run("selected", MLP_RUN.but(network=PlainMLP(), training=UNSTEADY.but(select=BestOn(split="train"))))


class StopAfter(StopRequest):
    """Stops after some steps, or kills the worker before it saves anything."""

    def __init__(self, steps, killed=False):
        self.evicted = False
        self._left = steps
        self._killed = killed

    @property
    def wanted(self):
        self._left -= 1
        if self._left == 0 and self._killed:
            raise KeyboardInterrupt
        return self._left <= 0


def recorder(results, run, data_root, stop=None):
    directory = results.directory(run)
    with SegmentRecorder(directory, CPU) as one:
        RunWorker(Context(results, data_root, CPU), directory, stop or StopRequest(), one).run()
    return directory


def curve(directory, name):
    return [point[name] for point in read_curve(directory.metrics)]


@pytest.mark.parametrize("config", [REGRESSION_RUN, TOKEN_RUN], ids=["regression", "tokens"])
def test_a_method_without_classes_is_trained_validated_and_measured(config, data_root, tmp_path):
    run, results = Run("foreign", config), Results(tmp_path)
    directory = results.directory(run)
    directory.request(run, [Size(), Runtime(warmup_steps=1, windows=2, timed_steps=2)])
    ending = work(Context(results, data_root, CPU, Execution(tensorboard=True)), directory)
    assert (ending, directory.state()) == (ExitCode.DONE, RunState.DONE), directory.log.read_text()
    name = f"test_{config.method.validation.name}"
    first, last = curve(directory, name)
    assert 0 < last < first
    assert "no event files" not in directory.log.read_text()
    record = json.loads(next(directory.evaluations.glob("runtime*.json")).read_text())
    assert record["details"]["validation_seconds"] > 0
    assert directory.training_record().selected is None


def test_samples_that_are_no_pictures_are_no_obstacle_to_event_files(data_root, tmp_path, caplog):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run, results = Run("tokens", TOKEN_RUN.but(epochs=1)), Results(tmp_path)
    directory = results.directory(run)
    directory.request(run, [Size()])
    recorder(results, run, data_root)
    text, pictures = np.zeros((4, 64), np.int64), np.zeros((4, 1, 8, 8), np.uint8)
    for name, samples in (("size-0000000a", text), ("size-0000000b", pictures)):
        shutil.copy(directory.record_path(Size()), directory.evaluations / f"{name}.json")
        save_array(directory.evaluations / name / "samples.npy", samples)
        keep_hashes(directory.evaluations / f"{name}.json")
    EventFiles(directory, run).update()
    assert "no event files" not in caplog.text
    shown = accumulators.EventAccumulator(str(directory.path / "tensorboard")).Reload().Tags()
    assert shown["images"] == ["size-0000000b/samples"]
    assert "training/test_nll" in shown["scalars"]


def test_a_validation_that_is_no_value_for_each_example_is_refused(data_root, monkeypatch):
    monkeypatch.setattr(foreign, "squared_errors", lambda model, batch: torch.tensor(1.0))
    loader = ResidentLoader(open_dataset(REGRESSION_RUN.data, data_root).split("test"), CPU)
    validator = Validator(REGRESSION_RUN, {"test": loader}, CPU, Communicator())
    message = r"^foreign:squared_errors returned values of shape \(\) for 100 examples: it must return one per example$"
    with pytest.raises(SpecError, match=message):
        validator.validate(build_method(REGRESSION_RUN, CPU).state_dict())


def test_validation_is_the_mean_over_the_examples(data_root, tmp_path):
    run, results = Run("foreign", REGRESSION_RUN.but(epochs=1)), Results(tmp_path)
    results.directory(run).request(run, [])
    directory = recorder(results, run, data_root)
    model = build_method(run.config, CPU).eval()
    model.load_state_dict(load_tensors(directory.weights, directory.training_record().weights_sha256))
    split = open_dataset(run.config.data, data_root).split("test")
    images, labels = (torch.from_numpy(array[:]) for array in (split.inputs, split.targets))
    with torch.inference_mode():
        errors = (model.network(images / 127.5 - 1)[:, 0] - labels / 9) ** 2
    assert curve(directory, "test_mse") == pytest.approx([errors.mean().item()], rel=1e-5)


@pytest.fixture(scope="module")
def undisturbed(data_root, tmp_path_factory):
    results = Results(tmp_path_factory.mktemp("selected"))
    results.directory(SELECTED).request(SELECTED, [Accuracy(split="train"), Accuracy(split="train", after=0.5)])
    return recorder(results, SELECTED, data_root)


def test_the_best_state_is_kept_evaluated_and_told(undisturbed):
    values = curve(undisturbed, "train_accuracy")
    best = max(values)
    epoch = values.index(best) + 1
    assert epoch < len(values) and len(set(values)) > 3, f"the best state must not be the last: {values}"
    assert len(curve(undisturbed, "test_accuracy")) == 6
    record = undisturbed.training_record()
    assert record.selected == epoch * EPOCH
    measured = undisturbed.record(Accuracy(split="train"))
    assert measured.quantities["accuracy"].value == pytest.approx(best, abs=1e-9)
    assert measured.weights_sha256 == record.weights_sha256


def test_snapshots_hold_the_best_until_then(undisturbed):
    values = curve(undisturbed, "train_accuracy")
    measured = undisturbed.record(Accuracy(split="train", after=0.5))
    assert measured.quantities["accuracy"].value == pytest.approx(max(values[:3]), abs=1e-9)


def test_stops_and_kills_change_nothing_of_the_choice(undisturbed, data_root, tmp_path, caplog):
    caplog.set_level("INFO", logger="harness.worker")
    results = Results(tmp_path)
    results.directory(SELECTED).request(SELECTED, [])
    for stop, left_by in ((StopAfter(30), Stopped), (StopAfter(25, killed=True), KeyboardInterrupt)):
        with pytest.raises(left_by):
            recorder(results, SELECTED, data_root, stop)
    directory = recorder(results, SELECTED, data_root)
    assert directory.metrics.read_text() == undisturbed.metrics.read_text()
    assert directory.weights.read_bytes() == undisturbed.weights.read_bytes()
    assert directory.training_record() == undisturbed.training_record()
    chosen = undisturbed.training_record().selected // EPOCH
    assert f"keeping the state after epoch {chosen} of 6: the best train_accuracy, " in caplog.text


def test_a_rehearsal_validates_on_every_split_that_the_run_will(data_root, tmp_path):
    for run in (SELECTED, Run("regression", REGRESSION_RUN)):
        directory = Rehearsals(tmp_path).directory(run)
        directory.request(run, [Size()])
        assert rehearse(Context(Results(tmp_path), data_root, CPU), directory) is ExitCode.DONE
        assert directory.record_of_rehearsal().validation_seconds > 0
