"""Diverging trainings: where they restart, independence of interruptions, and the limit on restarts."""

from itertools import pairwise

import pytest
import ranks
import torch
from energy_runs import ENERGY_RUNS

from harness.config.augmentation import Augmentation
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.launch.plan import BYTES_PER_PARAMETER
from harness.methods.base import DivergenceGuard, Loss, Method, build_method
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.loop import Diverged, Hooks, Trainer

CPU = torch.device("cpu")
CONFIG = ENERGY_RUNS["jem"].but(epochs=3)
EPOCH = 1437 // 60


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(CONFIG.data, data_root).split("train"), CPU)


class Fragile(Method):
    """Diverges in a step with a probability, by its own random draws; records the addresses of those."""

    def __init__(self, probability, guard, first=0):
        super().__init__()
        self.guard = guard
        self.network = torch.nn.Linear(1, 1)
        torch.nn.init.ones_(self.network.weight)
        torch.nn.init.zeros_(self.network.bias)
        self.register_buffer("drawn", torch.zeros(()))
        self.probability = probability
        self.first = first
        self.course = []

    def augmentations(self):
        return {"clean": Augmentation()}

    def players(self):
        return {"network": self.network}

    def initialise(self, stream):
        pass

    def training_step(self, step):
        draw = step.stream.uniform(torch.zeros(1, dtype=torch.int64))[0]
        self.course.append(step.stream.address)
        self.drawn += draw
        number = step.stream.address[-1]
        scale = 1e9 if number >= self.first and draw < self.probability else 1.0
        value = scale * self.network.weight.sum()
        yield Loss("network", value, {"value": value.detach()})


def trainer(loader, method):
    return Trainer(CONFIG, method, loader, CPU)


def run(subject, until=None):
    epochs, reasons = {}, []
    hooks = Hooks(
        lambda step: None,
        lambda step, means: epochs.update({step: means}),
        lambda: subject.step == until,
        reasons.append,
    )
    return subject.run(hooks), epochs, [str(reason) for reason in reasons]


GUARD = DivergenceGuard(bound=1e8, restarts=20)


def test_it_restarts_from_the_end_of_the_last_epoch_with_new_draws(loader):
    subject = trainer(loader, Fragile(0.05, GUARD, first=EPOCH + 1))
    ended, epochs, reasons = run(subject)
    assert ended
    assert reasons
    assert set(epochs) == {EPOCH, 2 * EPOCH, 3 * EPOCH}
    course = subject.method.course
    after = [later for earlier, later in pairwise(course) if later[-1] <= earlier[-1]]
    assert len(after) == len(reasons)
    assert all(address[-1] in (EPOCH, 2 * EPOCH) for address in after)
    assert [address[2:4] for address in after] == [("restart", count + 1) for count in range(len(after))]
    assert "training diverged in step" in reasons[0]
    assert "the loss of the network is 9.74e+08" in reasons[0]
    kept = [address for address in course if address[2] == "step" and address[-1] < EPOCH]
    assert len(kept) == EPOCH


@pytest.mark.parametrize("stops", [(5, EPOCH, EPOCH + 1), (EPOCH + 4, 2 * EPOCH + 7)])
def test_stops_change_nothing_of_where_it_goes_back_to(loader, tmp_path, stops):
    whole = trainer(loader, Fragile(0.05, GUARD))
    _, epochs, reasons = run(whole)
    assert reasons
    for stop in stops:
        part = trainer(loader, Fragile(0.05, GUARD))
        if (found := newest_checkpoint(tmp_path)) is not None:
            part.load_state(*found[:2])
        run(part, until=stop)
        save_checkpoint(tmp_path, part.step, part.state())
    last = trainer(loader, Fragile(0.05, GUARD))
    last.load_state(*newest_checkpoint(tmp_path)[:2])
    _, found, _ = run(last)
    expected = whole.state()
    assert last.state().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in last.state().items())
    assert found.items() <= epochs.items()


def test_there_is_an_end_to_it(loader):
    subject = trainer(loader, Fragile(1.0, DivergenceGuard(bound=1e8, restarts=2), first=EPOCH + 2))
    match = rf"step {EPOCH + 3}: .* \(after 2 restarts, the last from step {EPOCH}\)$"
    with pytest.raises(Diverged, match=match):
        run(subject)


def test_without_a_guard_a_large_loss_is_none_of_our_business(loader):
    subject = trainer(loader, Fragile(1.0, None))
    ended, _, reasons = run(subject)
    assert ended
    assert not reasons
    assert not any(name.startswith("restarts") for name in subject.state())


def test_what_is_not_a_number_counts_as_divergence_too(loader):
    method = Fragile(0.0, DivergenceGuard(bound=1e8, restarts=1))
    subject = trainer(loader, method)
    run(subject, until=2)
    with torch.no_grad():
        method.network.weight.fill_(float("nan"))
    ended, _, reasons = run(subject)
    assert ended
    assert reasons == ["training diverged in step 3: the loss of the network is nan"]


def test_a_chain_that_explodes_is_caught_before_it_is_learned_from(loader):
    """Steps so large that chains diverge; JEM's own loss detects it."""
    config = CONFIG.but(step_size=1e7, noise=1e6, restarts=1, langevin_steps=8)
    subject = Trainer(config, build_method(config, CPU), loader, CPU)
    with pytest.raises(Diverged, match=r"the loss of the network is .* \(after 1 restarts"):
        run(subject)
    assert all(torch.isfinite(weight).all() for weight in subject.method.network.parameters())


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("bound", "stopped"), [(1.5e9, False), (0.5e9, True)])
def test_a_guard_asks_for_the_mean_over_the_ranks(data_root, tmp_path, bound, stopped):
    """The mean loss of one rank's rows is 2e9, that of the other's is zero."""
    ranks.run(2, ranks.step_with_a_bad_row, CONFIG, data_root, 30 * 2e9, bound, tmp_path)
    expected = "training diverged in step 1: the loss of the network is 1e+09" if stopped else ""
    assert [(tmp_path / str(rank)).read_text() for rank in range(2)] == [expected] * 2


@pytest.mark.parametrize("kind", ENERGY_RUNS)
def test_a_checkpoint_is_no_larger_than_plans_say(loader, kind):
    config = ENERGY_RUNS[kind]
    method = config.method
    subject = Trainer(config, build_method(config, CPU), loader, CPU)
    run(subject, until=EPOCH + 1)
    state = BYTES_PER_PARAMETER * method.parameters(config.network, config.data) + method.kept_bytes(config.data)
    size = sum(value.numel() * value.element_size() for value in subject.state().values())
    assert 0.5 < size / (method.states_kept * state) < 1.01
