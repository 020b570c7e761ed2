"""External modules and optimisers on several ranks: equal states everywhere, and the numbers of one rank."""

import json

import numpy as np
import pytest
import ranks
import torch
from foreign import MLP_RUN, TOKEN_RUN, OddSGD, PlainMLP
from safetensors.torch import load_file

from harness.config.optimisation import SGD, Constant
from harness.config.training import BestOn

STEPS = 12
TRAINING = MLP_RUN.training
RUNS = {
    "batch norm": MLP_RUN.but(network=PlainMLP(norm=True)),
    "an odd optimiser": MLP_RUN.but(
        network=PlainMLP(), training=TRAINING.but(optimizer=OddSGD(learning_rate=0.5), schedule=Constant())
    ),
    "dropout": MLP_RUN.but(network=PlainMLP(dropout=0.5)),
    "buffers put in the place of others": MLP_RUN.but(network=PlainMLP(centred=True, norm=True)),
    "tied weights": TOKEN_RUN,
}
"""The first two use no random draws and no statistics of their own rows only."""


def curve_of(folder):
    return np.load(folder / "curve-0.npy")


@pytest.fixture(scope="module", params=RUNS)
def trained(request, data_root, tmp_path_factory):
    """The name of a run, and the folders of its training on several numbers of ranks."""
    root = tmp_path_factory.mktemp("ranks")
    for size in (1, 2, 3):
        ranks.run(size, ranks.train, RUNS[request.param], data_root, 0, STEPS, root / str(size))
    return request.param, root


@pytest.mark.parametrize("size", [2, 3])
def test_all_ranks_hold_the_same_state(trained, size):
    _, root = trained
    first = load_file(root / str(size) / f"{STEPS}.safetensors")
    for rank in range(1, size):
        other = load_file(root / str(size) / f"rank-{rank}.safetensors")
        assert other.keys() == first.keys()
        assert all(torch.equal(other[name], first[name]) for name in first)


@pytest.mark.parametrize("size", [2, 3])
def test_numbers_are_those_of_one_rank_without_draws_and_statistics(trained, size):
    kind, root = trained
    alone, together = curve_of(root / "1"), curve_of(root / str(size))
    if kind in list(RUNS)[:2]:
        np.testing.assert_allclose(together, alone, rtol=1e-4)
    np.testing.assert_allclose(together[:, 0], alone[:, 0], rtol=0.2)
    assert np.ptp(alone[:, 0]) > 0.01


def test_a_stop_changes_nothing_on_as_many_ranks(trained, data_root):
    kind, root = trained
    for first, steps in ((0, 5), (5, STEPS)):
        ranks.run(2, ranks.train, RUNS[kind], data_root, first, steps, root / "stopped")
    undisturbed, found = (load_file(root / name / f"{STEPS}.safetensors") for name in ("2", "stopped"))
    assert found.keys() == undisturbed.keys()
    assert all(torch.equal(found[name], value) for name, value in undisturbed.items())


def test_ranks_select_the_same_state(data_root, tmp_path):
    unsteady = TRAINING.but(
        epochs=5, ema_decay=None, clip_norm=None, optimizer=SGD(learning_rate=1.5), schedule=Constant(),
        select=BestOn(split="train"),
    )  # fmt: skip
    config = MLP_RUN.but(network=PlainMLP(), training=unsteady)
    ranks.run(2, ranks.select, config, data_root, tmp_path)
    states = [load_file(tmp_path / f"{rank}.safetensors") for rank in range(2)]
    values = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert values[0] == values[1]
    assert len({value["train_accuracy"] for value in values[0]}) > 2
    assert all(torch.equal(states[1][name], value) for name, value in states[0].items())
    best = max(value["train_accuracy"] for value in values[0])
    assert states[0]["best.value"] == best
