"""The evaluated state: the moving average of the whole state, or the last state."""

import pytest
import torch
from foreign import Centred
from toy_paper import CLASSIFIER, DENOISER, HYBRID

from harness.config.training import Average
from harness.methods.base import build_method
from harness.models.batch_norm import BatchNorm
from harness.training.ema import average_of

CPU = torch.device("cpu")


def network():
    return torch.nn.Sequential(BatchNorm(3), torch.nn.Conv2d(3, 2, 1))


def moved(subject, seed):
    """Forward a batch in training mode, then shift the weights."""
    subject.train()(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(seed)) + seed)
    with torch.no_grad():
        for parameter in subject.parameters():
            parameter += seed
    return {name: value.clone() for name, value in subject.state_dict().items()}


def test_running_statistics_are_averaged_with_the_weights():
    subject = network()
    first = {name: value.clone() for name, value in subject.state_dict().items()}
    average = average_of(subject, Average(decay=0.75))
    second = moved(subject, 1)
    average.update(0)
    third = moved(subject, 2)
    average.update(0)
    assert (
        set(average.weights()) == set(first) == {*dict(subject.named_parameters()), "0.running_mean", "0.running_var"}
    )
    for name, value in average.weights().items():
        once = 0.75 * first[name] + 0.25 * second[name]
        torch.testing.assert_close(value, 0.75 * once + 0.25 * third[name])


def test_an_average_moves_after_every_so_many_steps():
    subject = network()
    average = average_of(subject, Average(decay=0.75, every=3))
    expected = {name: value.clone() for name, value in subject.state_dict().items()}
    for step in range(7):
        present = moved(subject, step + 1)
        average.update(step)
        if step in (2, 5):
            expected = {name: 0.75 * value + 0.25 * present[name] for name, value in expected.items()}
        for name, value in average.weights().items():
            torch.testing.assert_close(value, expected[name])


def test_counts_are_taken_as_they_are_and_buffers_by_their_name():
    """torch's BatchNorm counts its batches; other modules replace a buffer by a new tensor."""
    subject = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Flatten(), Centred(12))
    average = average_of(subject, Average(decay=0.75))
    first = {name: value.clone() for name, value in subject.state_dict().items()}
    for step in range(2):
        second = moved(subject, 1)
        average.update(step)
    assert average.weights()["0.num_batches_tracked"] == 2
    assert average.weights()["2.seen"] == 2
    assert second["2.mean"].abs().min() > 0
    assert not torch.equal(average.weights()["2.mean"], first["2.mean"])
    assert not torch.equal(average.weights()["2.mean"], second["2.mean"])


def test_an_average_goes_on_where_it_was():
    subject = network()
    average = average_of(subject, Average(decay=0.75))
    moved(subject, 1)
    average.update(0)
    other = average_of(subject, Average(decay=0.75))
    other.load_state({name: value.clone() for name, value in average.state().items()})
    moved(subject, 2)
    for each in (average, other):
        each.update(1)
    assert all(torch.equal(value, other.weights()[name]) for name, value in average.weights().items())


def test_without_an_average_the_last_state_is_evaluated_and_kept_once():
    subject = network()
    last = average_of(subject, Average(decay=None))
    state = moved(subject, 1)
    last.update(0)
    assert all(torch.equal(value, state[name]) for name, value in last.weights().items())
    assert last.weights().keys() == state.keys()
    assert last.state() == {}


@pytest.mark.parametrize("decay", [0.9, None])
@pytest.mark.parametrize("config", [HYBRID.config, CLASSIFIER, DENOISER], ids=lambda config: config.network.kind)
def test_what_is_evaluated_is_the_whole_state_of_the_method(config, decay):
    """It excludes fixed frequencies and the dropout state."""
    method = build_method(config, CPU)
    weights = average_of(method.network, Average(decay=decay)).weights()
    method.load_state_dict({f"network.{name}": value for name, value in weights.items()})
