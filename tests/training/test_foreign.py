"""External modules, methods and optimisers: they train, and resume to the same bits."""

import pytest
import torch
from foreign import MLP_RUN, REGRESSION_RUN, TOKEN_RUN, OddSGD, PlainMLP

from harness.config.optimisation import Constant
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.methods.base import build_method
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.distributed import Communicator
from harness.training.loop import Hooks, Trainer

CPU = torch.device("cpu")
EPOCH = 1437 // 60
ODD = MLP_RUN.but(training=MLP_RUN.training.but(optimizer=OddSGD(learning_rate=0.5), schedule=Constant()))
RUNS = {
    "dropout": MLP_RUN,
    "batch norm": MLP_RUN.but(network=PlainMLP(dropout=0.1, norm=True)),
    "buffers put in the place of others": MLP_RUN.but(network=PlainMLP(centred=True)),
    "regression": REGRESSION_RUN,
    "tied weights": TOKEN_RUN.but(epochs=1),
    "an odd optimiser": ODD,
}


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(MLP_RUN.data, data_root).split("train"), CPU)


def trainer(loader, config):
    return Trainer(config, build_method(config, CPU), loader, CPU)


def run(subject, until=None):
    epochs = {}
    hooks = Hooks(lambda step: None, lambda step, means: epochs.update({step: means}), lambda: subject.step == until)
    subject.run(hooks)
    return epochs


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("kind", RUNS)
def test_a_run_that_stops_and_goes_on_ends_bit_for_bit_the_same(loader, tmp_path, kind):
    whole = trainer(loader, RUNS[kind])
    epochs = run(whole)
    for until in (7, EPOCH, None):
        part = trainer(loader, RUNS[kind])
        if (found := newest_checkpoint(tmp_path)) is not None:
            part.load_state(*found[:2])
        torch.rand(until or 3)  # other draws of the process
        rest = run(part, until)
        save_checkpoint(tmp_path, part.step, part.state())
    assert_equal(part.state(), whole.state())
    assert_equal(part.ema_weights(), whole.ema_weights())
    assert rest.items() <= epochs.items()


@pytest.mark.parametrize("kind", RUNS)
def test_it_learns(loader, kind):
    subject = trainer(loader, RUNS[kind].but(epochs=3))
    first, *_, last = run(subject).values()
    (name,) = [name for name in first if name not in ("network_grad_norm", "learning_rate")]
    assert last[name] < 0.97 * first[name]


def test_what_modules_draw_is_a_function_of_seed_step_and_rank(loader):
    """Independent of other draws; torch's default generators are seeded for the next step."""

    class Second(Communicator):
        rank = 1

        def shard(self, n, block=1):
            return range(n)

    def seeds(config, comm, steps=3):
        subject, found = Trainer(config, build_method(config, CPU), loader, CPU, comm=comm), []
        for step in range(steps):
            torch.rand(step + 1)
            subject.train_step()
            found.append(torch.initial_seed())
        subject.close()
        return found

    first = seeds(MLP_RUN, Communicator())
    assert seeds(MLP_RUN, Communicator()) == first
    others = seeds(MLP_RUN, Second()) + seeds(MLP_RUN.but(seed=1), Communicator())
    assert len({*first, *others}) == len(first) + len(others)


def test_dropout_is_another_in_every_step(loader):
    subject, masks = trainer(loader, MLP_RUN), []
    subject.method.network.module.dropout.register_forward_hook(
        lambda module, inputs, output: masks.append((output == 0) & (inputs[0] != 0))
    )
    for _ in range(3):
        subject.train_step()
    subject.close()
    assert len(masks) == 3
    assert not torch.equal(masks[0], masks[1]) and not torch.equal(masks[1], masks[2])
