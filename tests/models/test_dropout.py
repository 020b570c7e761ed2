"""Dropout: rate, placement, and dependence on the random stream and the row only."""

import pytest
import torch

from harness.models.dropout import Dropout, seed_dropout
from harness.randomness import Stream, bernoulli

ROWS = torch.arange(64)


def layers(probability=0.3):
    return torch.nn.Sequential(Dropout(probability), torch.nn.Identity(), Dropout(probability)).train()


def dropped(network, stream, rows):
    seed_dropout(network, stream, rows)
    return [layer(torch.ones(len(rows), 4, 5, 5)) for layer in (network[0], network[2])]


def test_a_row_is_treated_alike_in_any_part_of_the_batch():
    network, stream = layers(), Stream(1, "step", 7)
    whole = dropped(network, stream, ROWS)
    parts = [dropped(network, stream, rows) for rows in ROWS.split([40, 24])]
    for number in range(2):
        assert torch.equal(torch.cat([part[number] for part in parts]), whole[number])


def test_layers_steps_and_rows_differ():
    network = layers()
    first, second = dropped(network, Stream(1, "step", 7), ROWS)
    assert not torch.equal(first, second)
    assert not torch.equal(first, dropped(network, Stream(1, "step", 8), ROWS)[0])
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.75])
def test_the_rate_is_right_and_the_mean_is_kept(probability):
    for values in dropped(layers(probability), Stream(3), torch.arange(4000)):
        zeros = (values == 0).double()
        assert zeros.mean().item() == pytest.approx(probability, abs=4 * (0.25 / values.numel()) ** 0.5)
        assert values.max().item() == pytest.approx(1 / (1 - probability))
        assert zeros.mean(dim=(0, 2, 3)).std() < 0.01, "no channel is dropped more often"
        neighbours = zeros.flatten(1) - probability
        assert abs((neighbours[:, 1:] * neighbours[:, :-1]).mean().item()) < 0.002, "nor in pairs"


def test_nothing_is_dropped_in_evaluation():
    x = torch.rand(2, 3, 4, 4)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0).train()(x), x)


def test_a_batch_whose_rows_are_unknown_is_refused():
    network = layers()
    with pytest.raises(RuntimeError, match="seeded for 0 images, not 64"):
        network(torch.ones(64, 1))
    seed_dropout(network, Stream(1), ROWS[:10])
    with pytest.raises(RuntimeError, match="seeded for 10 images, not 64"):
        network(torch.ones(64, 1))


def test_it_is_no_part_of_the_state():
    network = layers()
    seed_dropout(network, Stream(1), ROWS)
    assert not network.state_dict()


def test_bernoulli_draws_of_the_same_counters_are_nested():
    """One stream, two probabilities: rows chosen at the smaller one are also chosen at the larger."""
    counters = Stream("chances").counters(ROWS)
    rare, frequent = bernoulli(counters, 0.2, 3, 7), bernoulli(counters, 0.6, 3, 7)
    assert rare.shape == (64, 3, 7)
    assert not (rare & ~frequent).any()
    assert not bernoulli(counters, 0.0, 9).any()
    assert bernoulli(counters, 1.0, 9).all()
