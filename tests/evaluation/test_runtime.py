"""Runtime: the arithmetic on a fake clock, the parts on the real one, and the absence of side effects."""

import itertools

import pytest
import torch

from harness.config.evaluations import Runtime
from harness.config.methods import Denoising
from harness.config.processes import GaussianProcess
from harness.evaluation import runtime
from harness.methods.base import build_method
from harness.training.device import device_name
from harness.training.loop import Trainer

SHORT = Runtime(warmup_steps=2, timed_steps=3, windows=4)


@pytest.fixture
def clock(monkeypatch):
    """A fake clock that advances by the given seconds within each pair of readings."""

    def set_to(*spans):
        readings = itertools.accumulate(part for span in spans for part in (1000.0, span))
        monkeypatch.setattr(runtime, "process_time", lambda: next(readings))

    return set_to


def test_times_follow_from_the_fastest_window_and_one_validation(subject, config, clock):
    clock(0.3, 30.0, 0.6, 0.9, 77.0, 4.0)
    findings = runtime.evaluate(SHORT, subject)
    minutes = (config.training.iterations_per_epoch(config.data) * 0.1 + 4) / 60
    expected = {"minutes_per_epoch": minutes, "runtime_hours": 4 * minutes / 60, "gpu_hours": 4 * minutes / 60}
    assert {name: found.value for name, found in findings.quantities.items()} == pytest.approx(expected)
    assert all(found.n == 12 for found in findings.quantities.values())
    assert findings.details["step_seconds"] == pytest.approx([0.1, 10.0, 0.2, 0.3])
    assert findings.details["validation_seconds"] == pytest.approx(4)
    assert findings.quantities.keys() == SHORT.labels(config.data).keys()


def test_a_method_without_a_classifier_is_not_validated(subject_of, config, clock):
    generative = config.but(method=Denoising(process=GaussianProcess(timesteps=4)))
    clock(0.3, 0.3, 0.3, 0.3)
    findings = runtime.evaluate(SHORT, subject_of(generative, build_method(generative, torch.device("cpu"))))
    assert findings.details["validation_seconds"] == 0


def test_measured_times_are_positive_and_say_where_they_come_from(subject, subject_of, config, model):
    told = []
    findings = runtime.evaluate(SHORT, subject_of(config, model, report=lambda *at: told.append(at)))
    assert all(seconds > 0 for seconds in findings.details["step_seconds"])
    assert 0 < findings.details["validation_seconds"] < 5
    assert findings.details["device"] == device_name(torch.device("cpu"))
    assert findings.details["threads"] == 1
    assert "extrapolated" in findings.details["note"]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_larger_network_takes_longer(subject_of, config):
    times = []
    for dim in (24, 192):
        wide = config.but(dim=dim)
        subject = subject_of(wide, build_method(wide, torch.device("cpu")))
        times.append(runtime.evaluate(SHORT, subject).quantities["minutes_per_epoch"].value)
    assert times[1] > 2 * times[0]


def test_the_evaluated_model_is_left_alone_and_the_right_steps_are_made(subject, monkeypatch):
    before = {name: value.clone() for name, value in subject.model.state_dict().items()}
    trained, original = [], Trainer.train_step
    monkeypatch.setattr(Trainer, "train_step", lambda self: trained.append(self.method) or original(self))
    runtime.evaluate(SHORT, subject)
    assert len(trained) == 2 + 3 * 4
    assert subject.model not in trained
    assert not subject.model.training
    assert all(torch.equal(value, before[name]) for name, value in subject.model.state_dict().items())
    assert not list(subject.artefacts.iterdir())


def test_windows_may_be_longer_than_the_training(subject_of, config, model):
    short = config.but(epochs=1, warmup_epochs=0, batch_size=1024)
    findings = runtime.evaluate(Runtime(warmup_steps=3, timed_steps=3, windows=2), subject_of(short, model))
    assert findings.quantities["runtime_hours"].value > 0
