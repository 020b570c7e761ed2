"""Selection of the best state: which one it is, independence of stops and restarts, and what is saved."""

import math

import pytest
import torch
from foreign import MLP_RUN, REGRESSION_RUN
from toy_paper import DENOISING

from harness.config.run import Run
from harness.config.training import BestOn
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.errors import SpecError
from harness.launch.plan import BYTES_PER_PARAMETER, CHECKPOINTS_KEPT, PlannedRun, disk_bytes
from harness.methods.base import DivergenceGuard, build_method
from harness.store.results import Results
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.loop import Hooks, Trainer
from harness.training.state import evaluated_step, evaluated_weights

CPU = torch.device("cpu")
EPOCH = 1437 // 60
NAN = math.nan
LOWER = REGRESSION_RUN.but(epochs=5, warmup_epochs=0, select=BestOn(split="test"))
HIGHER = MLP_RUN.but(epochs=5, warmup_epochs=0, select=BestOn(split="test"))


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(LOWER.data, data_root).split("train"), CPU)


def trainer(loader, config, guard=None):
    method = build_method(config, CPU)
    method.guard = guard
    return Trainer(config, method, loader, CPU)


def run(subject, values, until=None):
    """Train with these validation values per epoch, and return the weights after each."""
    states = {}

    def after_epoch(step, means):
        epoch = step // EPOCH
        subject.update_best(values[epoch - 1])
        states[epoch] = {name: value.clone() for name, value in subject.ema_weights().items()}

    subject.run(Hooks(lambda step: None, after_epoch, lambda: subject.step == until))
    return states


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("config", "values", "chosen"),
    [
        (LOWER, [3.0, 1.0, 2.0, 1.0, 4.0], 2),
        (HIGHER, [3.0, 1.0, 2.0, 3.0, 2.5], 1),
        (LOWER, [NAN, 2.0, NAN, 1.0, NAN], 4),
        (HIGHER, [-math.inf, NAN, -1.0, -2.0, NAN], 3),
        (LOWER, [5.0, 4.0, 3.0, 2.0, 1.0], 5),
    ],
)
def test_the_first_of_the_best_is_kept_and_no_nan(loader, config, values, chosen):
    subject = trainer(loader, config)
    states = run(subject, values)
    assert subject.best.step == chosen * EPOCH
    assert equal(subject.kept_weights(), states[chosen])
    assert equal(subject.ema_weights(), states[5])
    assert equal(states[4], states[5]) is False


def test_where_no_value_is_a_number_the_last_state_is_kept(loader):
    subject = trainer(loader, LOWER)
    states = run(subject, [NAN] * 5)
    assert subject.best.step is None
    assert equal(subject.kept_weights(), states[5])


def test_before_the_first_epoch_the_present_state_is_the_best(loader):
    subject = trainer(loader, LOWER)
    run(subject, [1.0] * 5, until=3)
    assert equal(subject.kept_weights(), subject.ema_weights())
    assert evaluated_step(subject.state(), 3) == 3


@pytest.mark.parametrize("stops", [(3, EPOCH), (EPOCH + 1, 2 * EPOCH + 5, 4 * EPOCH), (2 * EPOCH,)])
def test_stops_change_nothing_of_the_choice(loader, tmp_path, stops):
    values = [3.0, 1.0, 1.0, 2.0, 1.5]
    whole = trainer(loader, LOWER)
    states = run(whole, values)
    for until in (*stops, None):
        part = trainer(loader, LOWER)
        if (found := newest_checkpoint(tmp_path)) is not None:
            part.load_state(*found[:2])
        run(part, values, until)
        save_checkpoint(tmp_path, part.step, part.state())
    assert equal(part.state(), whole.state())
    step, state, *_ = newest_checkpoint(tmp_path)
    assert equal(evaluated_weights(state), states[2])
    assert (step, evaluated_step(state, step)) == (5 * EPOCH, 2 * EPOCH)


@pytest.mark.parametrize("stop", [EPOCH + 3, 2 * EPOCH, 2 * EPOCH + 4])
def test_a_restart_keeps_the_best_until_then(loader, tmp_path, stop):
    """Some losses are infinite, once; the retried steps use new random draws."""

    def fragile():
        subject = trainer(loader, LOWER, DivergenceGuard(bound=1e9, restarts=3))
        losses = subject.method.training_step

        def training_step(step):
            for loss in losses(step):
                broken = step.stream.address[2:] == ("step", 2 * EPOCH + 9)
                yield type(loss)(loss.player, loss.value * (math.inf if broken else 1), loss.log)

        subject.method.training_step = training_step
        return subject

    values = [2.0, 1.0, 3.0, 3.0, 3.0]
    whole = fragile()
    states = run(whole, values)
    assert "restarts.count" in whole.state() and whole.state()["restarts.count"] == 1
    assert equal(whole.kept_weights(), states[2])
    part, rest = fragile(), fragile()
    run(part, values, until=stop)
    save_checkpoint(tmp_path, part.step, part.state())
    rest.load_state(*newest_checkpoint(tmp_path)[:2])
    run(rest, values)
    assert equal(rest.state(), whole.state())


def test_without_selection_a_value_means_nothing(loader):
    subject = trainer(loader, LOWER.but(select=None))
    states = run(subject, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert subject.best is None
    assert equal(subject.kept_weights(), states[5])
    assert not any(name.startswith("best") for name in subject.state())


def test_plans_know_the_room_that_the_best_state_takes(loader, tmp_path):
    config = LOWER.but(hidden=200)
    subject = trainer(loader, config)
    run(subject, [1.0] * 5, until=EPOCH + 1)
    size = sum(value.nbytes for value in subject.state().values())
    planned = {}
    for select in (None, config.training.select):
        chosen = Run("chosen", config.but(select=select))
        planned[select] = disk_bytes(PlannedRun(chosen, Results(tmp_path).directory(chosen), None))
    best = planned[config.training.select] - planned[None]
    parameters = config.method.parameters(config.network, config.data)
    assert best == CHECKPOINTS_KEPT * 4 * parameters
    assert 0.95 < size / (BYTES_PER_PARAMETER * parameters + best / CHECKPOINTS_KEPT) < 1.02


def test_what_cannot_be_selected_is_refused():
    with pytest.raises(SpecError, match="method 'denoising' has no validation value"):
        DENOISING.but(select=BestOn(split="test"))
    with pytest.raises(SpecError, match="unknown split of dataset 'digits' 'validation': allowed: test, train"):
        MLP_RUN.but(select=BestOn())
