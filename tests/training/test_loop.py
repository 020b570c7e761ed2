"""The training loop: EMA, clipping, epochs, several players, and exact resumption from any step."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_paper import CLASSIFIER, DENOISER, DENOISING, HYBRID

from harness.config.augmentation import Augmentation
from harness.config.optimisation import AdamW, Constant
from harness.config.training import Average
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.errors import HarnessError, SpecError
from harness.methods.base import Loss, Method, build_method
from harness.training.checkpoints import newest_checkpoint, save_checkpoint
from harness.training.device import seed_modules
from harness.training.loop import Diverged, Hooks, Trainer
from harness.training.running_means import RunningMeans

CPU = torch.device("cpu")
CONFIG = HYBRID.config.but(epochs=1, warmup_epochs=0.5, batch_size=256)
STEPS = 3 * 1437 // 256


@pytest.fixture(scope="module")
def loader(data_root):
    return ResidentLoader(open_dataset(CONFIG.data, data_root).split("train"), CPU)


def trainer(loader, config=CONFIG):
    return Trainer(config, build_method(config, CPU), loader, CPU)


def run(trainer, until=None):
    epochs = {}
    hooks = Hooks(
        after_step=lambda step: None,
        after_epoch=lambda step, means: epochs.update({step: means}),
        wants_stop=lambda: trainer.step == until,
    )
    ended = trainer.run(hooks)
    return ended, epochs


@pytest.fixture(scope="module")
def undisturbed(loader):
    whole = trainer(loader)
    _, epochs = run(whole)
    return whole.ema_weights(), epochs


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@given(stop=st.integers(1, STEPS - 1), again=st.integers(1, STEPS - 1))
@settings(max_examples=6, deadline=None)
def test_a_run_that_stops_and_goes_on_ends_bit_for_bit_the_same(loader, undisturbed, tmp_path_factory, stop, again):
    folder = tmp_path_factory.mktemp("checkpoints")
    for until in sorted({stop, again}):
        part = trainer(loader)
        if (found := newest_checkpoint(folder)) is not None:
            part.load_state(*found[:2])
        ended, _ = run(part, until)
        assert not ended
        save_checkpoint(folder, part.step, part.state())
    last = trainer(loader)
    last.load_state(*newest_checkpoint(folder)[:2])
    ended, epochs = run(last)
    assert ended
    assert equal(last.ema_weights(), undisturbed[0])
    assert epochs == undisturbed[1]


@pytest.mark.parametrize("config", [CLASSIFIER, DENOISER], ids=lambda config: config.network.kind)
def test_running_statistics_momentum_and_dropout_survive_a_stop(loader, tmp_path, config):
    whole, part, rest = (trainer(loader, config.but(epochs=2)) for _ in range(3))
    _, expected = run(whole)
    run(part, until=31)
    save_checkpoint(tmp_path, part.step, part.state())
    rest.load_state(*newest_checkpoint(tmp_path)[:2])
    _, epochs = run(rest)
    assert equal(rest.state(), whole.state())
    assert equal(rest.ema_weights(), whole.ema_weights())
    assert epochs[46] == expected[46]
    assert whole.step == 46


def test_the_last_weights_are_evaluated_where_there_is_no_ema(loader):
    subject = trainer(loader, CLASSIFIER)
    run(subject, until=5)
    state = subject.method.state_dict()
    assert equal(subject.ema_weights(), state)
    assert state["network.norm.running_mean"].abs().max() > 0
    assert not any(name.startswith("ema.") for name in subject.state())


def test_gradients_that_are_not_clipped_are_measured_all_the_same(loader):
    for clip_norm, scale in ((None, 1.0), (1e-3, 1e-3)):
        subject = trainer(loader, CLASSIFIER.but(clip_norm=clip_norm, momentum=0.0, nesterov=False, weight_decay=0.0))
        before = {name: value.clone() for name, value in subject.method.named_parameters()}
        run(subject, until=1)
        moved = torch.cat([(before[name] - value).flatten() for name, value in subject.method.named_parameters()])
        norm = subject.state()["meters.network_grad_norm"][0].item()
        assert norm > 0.01
        assert moved.norm().item() == pytest.approx(0.05 * (norm if clip_norm is None else scale), rel=1e-3)


def test_ema_takes_the_weights_of_before_the_step(loader):
    """ema_1 = w_0, and ema_2 = d w_0 + (1 - d) w_1."""
    subject, decay = trainer(loader), CONFIG.training.ema_decay
    w0 = {k: v.clone() for k, v in subject.method.state_dict().items() if k.startswith("network.")}
    run(subject, until=1)
    w1 = {k: v.clone() for k, v in subject.method.state_dict().items() if k.startswith("network.")}
    assert all(torch.allclose(v, w0[k]) for k, v in subject.ema_weights().items())
    assert not all(torch.allclose(w1[k], w0[k]) for k in w0)
    run(subject, until=2)
    for name, value in subject.ema_weights().items():
        torch.testing.assert_close(value, decay * w0[name] + (1 - decay) * w1[name], rtol=1e-4, atol=1e-6)


def test_training_learns(loader):
    _, epochs = run(trainer(loader, HYBRID.config.but(epochs=3, learning_rate=1e-2)))
    first, *_, last = epochs.values()
    assert last["denoising"] < 0.9 * first["denoising"]
    assert last["cross_entropy"] < 0.95 * first["cross_entropy"]
    assert last["learning_rate"] < 1e-4


def test_divergence_is_an_error_of_the_run(loader):
    with pytest.raises(Diverged, match="training diverged in epoch 1"):
        run(trainer(loader, CONFIG.but(learning_rate=1e30, min_learning_rate=1e29)))


def test_a_checkpoint_of_another_network_is_refused(loader):
    foreign = trainer(loader, CONFIG.but(dim=12)).state()
    with pytest.raises(HarnessError, match="the checkpoint does not fit this run"):
        trainer(loader).load_state(3, foreign)
    with pytest.raises(HarnessError, match="the checkpoint does not fit this run"):
        trainer(loader).load_state(3, {})


class Duel(Method):
    """Two players; the second must see the first's updated weights."""

    def augmentations(self):
        return {"clean": Augmentation()}

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(1, 1)
        self.second = torch.nn.Linear(1, 1)
        self.register_buffer("replay", torch.zeros(3))
        self.seen = []

    def players(self):
        return {"first": self.first, "second": self.second}

    def initialise(self, stream):
        pass

    def training_step(self, step):
        self.seen.append(self.first.weight.item())
        yield Loss("first", self.first.weight.sum(), {"a": self.first.weight.sum()})
        self.seen.append(self.first.weight.item())
        self.replay += 1
        yield Loss("second", self.second.weight.sum() * 2)


def test_several_players_move_one_after_the_other(loader):
    duel = Duel()
    subject = Trainer(DENOISING.config.but(warmup_epochs=0), duel, loader, CPU)
    second = duel.second.weight.item()
    run(subject, until=2)
    before, between, after, last = duel.seen
    assert before > between == after > last
    assert duel.second.weight.item() < second
    assert set(subject.ema_weights()) == {"first.weight", "first.bias", "second.weight", "second.bias", "replay"}
    assert subject.ema_weights()["replay"].tolist() == [2, 2, 2]
    restored = Trainer(DENOISING.config.but(warmup_epochs=0), Duel(), loader, CPU)
    restored.load_state(2, {k: v.clone() for k, v in subject.state().items()})
    assert restored.method.replay.tolist() == [2, 2, 2]
    for either in (subject, restored):
        run(either, until=4)
    assert equal(subject.state(), restored.state())


AVERAGED = DENOISING.config.but(warmup_epochs=0, ema_decay=0.9, player_averages={"second": Average(decay=0.5, every=3)})


def test_every_player_has_an_average_of_its_own(loader):
    """The first uses the training's; the second has its own, updated every third step."""
    duel = Duel()
    subject = Trainer(AVERAGED, duel, loader, CPU)
    expected = {name: getattr(duel, name).weight.item() for name in ("first", "second")}
    for step in range(7):
        before = {name: getattr(duel, name).weight.item() for name in expected}
        run(subject, until=step + 1)
        expected["first"] = 0.9 * expected["first"] + 0.1 * before["first"]
        if step in (2, 5):
            expected["second"] = (expected["second"] + before["second"]) / 2
        for name, value in expected.items():
            assert subject.ema_weights()[f"{name}.weight"].item() == pytest.approx(value, rel=1e-5), (step, name)


def test_averages_of_players_go_on_where_they_were(loader):
    whole, part, rest = (Trainer(AVERAGED, Duel(), loader, CPU) for _ in range(3))
    for other in (part, rest):
        other.load_state(0, {name: value.clone() for name, value in whole.state().items()})
    run(whole, until=8)
    run(part, until=4)
    rest.load_state(4, {name: value.clone() for name, value in part.state().items()})
    run(rest, until=8)
    assert equal(rest.state(), whole.state())


@pytest.mark.parametrize("field", ["player_optimizers", "player_schedules", "player_averages"])
def test_a_player_that_the_method_does_not_have_is_refused(loader, field):
    settings = {
        "player_optimizers": {"generatr": AdamW()},
        "player_schedules": {"generatr": Constant()},
        "player_averages": {"generatr": Average(decay=0.9)},
    }
    config = DENOISING.config.but(**{field: settings[field]})
    message = f"^unknown player in {field} 'generatr': allowed: first, second$"
    with pytest.raises(SpecError, match=message):
        Trainer(config, Duel(), loader, CPU)


def test_curves_name_their_scalars_in_one_order_with_a_stop_or_without():
    """The tensors of a checkpoint are loaded in the order of their names."""
    whole, rest = RunningMeans(CPU), RunningMeans(CPU)
    values = {"b": torch.tensor(1.0), "a": torch.tensor(2.0)}
    whole.add(values)
    rest.load_state(dict(sorted(whole.state().items())))
    for meters in (whole, rest):
        meters.add(values)
    assert list(whole.means_and_reset().items()) == list(rest.means_and_reset().items()) == [("a", 2.0), ("b", 1.0)]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda loss: loss.value, "yields tensor("),
        (lambda loss: Loss("netwrok", loss.value), "player of a loss in training_step of method 'hybrid' 'netwrok'"),
        (lambda loss: Loss("network", loss.value[None]), "yields as loss a tensor of shape (1,), not a scalar tensor"),
        (lambda loss: Loss("network", loss.value.item()), "not a scalar tensor"),
        (lambda loss: Loss("network", loss.value, {"error": 0.5}), "yields as error 0.5, not a scalar tensor"),
        (lambda loss: Loss("network", loss.value.detach()), "yields a loss of 'network' that depends on no parameter"),
    ],
)
def test_what_is_no_loss_of_a_player_is_refused(loader, monkeypatch, wrong, says):
    trainer = Trainer(CONFIG, build_method(CONFIG, CPU), loader, CPU)
    true = trainer.method.training_step
    monkeypatch.setattr(trainer.method, "training_step", lambda step: map(wrong, true(step)))
    with pytest.raises(SpecError) as caught:
        trainer.train_step()
    assert says in str(caught.value)


@pytest.mark.parametrize("returned", [torch.tensor(0.5), None])
def test_a_step_that_yields_nothing_is_refused(loader, monkeypatch, returned):
    trainer = Trainer(CONFIG, build_method(CONFIG, CPU), loader, CPU)
    monkeypatch.setattr(trainer.method, "training_step", lambda step: returned)
    with pytest.raises(SpecError, match=r"method 'hybrid' returns .*: it must yield a Loss for each player to update"):
        trainer.train_step()


def test_a_batch_larger_than_the_training_split_is_refused(loader):
    config = CONFIG.but(batch_size=2000, passes_per_epoch=1)
    with pytest.raises(SpecError, match="batch_size=2000 exceeds the 1,437 training examples"):
        Trainer(config, build_method(config, CPU), loader, CPU)


def test_later_steps_do_not_walk_through_the_modules(loader, monkeypatch):
    """A walk through the modules takes as long as several layers of a small network."""
    trainer = Trainer(CONFIG, build_method(CONFIG, CPU), loader, CPU)
    trainer.train_step()
    walked, walk = [], torch.nn.Module.named_modules
    monkeypatch.setattr(
        torch.nn.Module, "named_modules", lambda *args, **named: walked.append(1) or walk(*args, **named)
    )
    trainer.train_step()
    assert walked == []


def test_the_generator_of_the_cpu_is_seeded_as_by_torch():
    with torch.random.fork_rng(devices=[]):
        seed_modules(2**63 - 1, CPU)
        ours = torch.rand(3)
        torch.manual_seed(2**63 - 1)
        assert torch.equal(torch.rand(3), ours)
