"""Costs, sizes and requirements of methods, counted by hand."""

from typing import ClassVar, Literal

import pytest
from foreign import MLP_RUN, PlainMLP
from toy_paper import CLASSIFIER, HYBRID

from harness.config.augmentation import Augmentation
from harness.config.dataset import Arrays, Images
from harness.config.energy_methods import IGEBM, JEM, VERA, JEMPlusPlus
from harness.config.interfaces import LOGITS, PREDICT_NOISE
from harness.config.methods import VALIDATION_ACCURACY, Classification, Denoising, Hybrid, Method
from harness.config.networks import JEMWideResNet, ResNetGenerator
from harness.config.optimisation import Constant
from harness.config.processes import GaussianProcess
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.errors import SpecError

NETWORK = HYBRID.config.network
CLASSIFIED, DENOISED = (NETWORK.flops(DIGITS, name) for name in (LOGITS, PREDICT_NOISE))
GENERATOR = ResNetGenerator(features=8, noise_dim=4, doublings=1)
# A linear layer from 4 numbers to 8 channels of 4 x 4 pixels, two convolutions of 8 x 8 pixels, and one to one channel.
GENERATED = 2 * (4 * 8 * 16 + 2 * 64 * 8 * 8 * 9 + 64 * 8 * 9)
PLAIN = Images(name="plain", image_size=8, channels=1, num_classes=0, train_examples=99, test_examples=9)
TABLE = Arrays(
    name="table", fields={"x": ((2,), "float32"), "y": ((), "int64")}, splits={"train": 9, "test": 1}, num_classes=3
)


@pytest.mark.parametrize(
    ("method", "trained", "sampled"),
    [
        (Classification(), 3 * CLASSIFIED, DENOISED),
        (Denoising(), 3 * DENOISED, DENOISED),
        (Hybrid(alpha=1), 3 * (CLASSIFIED + DENOISED), DENOISED),
        (JEM(langevin_steps=7), (3 * 3 + 2 * 7) * CLASSIFIED, 2 * CLASSIFIED),
        (JEMPlusPlus(outer_steps=7, inner_steps=2), (3 * 3 + 2 * 7) * CLASSIFIED, 2 * CLASSIFIED),
        (IGEBM(langevin_steps=7), (3 * 2 + 2 * 7) * CLASSIFIED, 2 * CLASSIFIED),
        (
            VERA(generator=GENERATOR, importance_samples=6),
            (3 + 3 + 5 + 2) * CLASSIFIED + (3 + 6 + 2) * GENERATED,
            GENERATED,
        ),
    ],
)
def test_operations_of_a_training_step_and_of_a_sample(method, trained, sampled):
    assert method.train_flops(NETWORK, DIGITS) == trained
    assert method.sample_flops(NETWORK, DIGITS) == sampled


def test_a_step_runs_each_pass_once_by_default(monkeypatch):
    monkeypatch.setattr(Method, "kinds", dict(Method.kinds))

    class Both(Method):
        kind: Literal["both"] = "both"
        passes: ClassVar[frozenset[str]] = frozenset({LOGITS, PREDICT_NOISE})

    assert Both().train_flops(NETWORK, DIGITS) == 3 * (CLASSIFIED + DENOISED)
    assert (Both().sampler_steps, Both().with_sampler_steps(3), Both().kept_bytes(DIGITS)) == (1, Both(), 0)
    assert (Both.states_kept, Both.validation, Both.capabilities) == (1, None, frozenset())
    Both().check(TABLE, Training(epochs=20))


def test_vera_has_the_parameters_of_two_networks_a_noise_scale_and_a_posterior():
    network = JEMWideResNet(depth=10, widen_factor=1)
    # The linear layer, two BatchNorms with convolutions, a last BatchNorm, and a convolution to one channel.
    generator = (4 + 1) * 8 * 16 + 2 * (2 * 8 + 8 * 8 * 9 + 8) + 2 * 8 + 8 * 9 + 1
    assert GENERATOR.parameters(DIGITS) == generator
    assert VERA(generator=GENERATOR).parameters(network, DIGITS) == network.parameters(DIGITS) + generator + 1 + 4
    assert JEM().parameters(network, DIGITS) == network.parameters(DIGITS)


def test_a_buffer_holds_images_of_four_bytes_per_value():
    assert JEM(buffer_size=10).kept_bytes(DIGITS) == 10 * 64 * 4
    assert Hybrid(alpha=1).kept_bytes(DIGITS) == VERA().kept_bytes(DIGITS) == 0
    assert (JEM.states_kept, VERA.states_kept, Hybrid.states_kept) == (2, 2, 1)


@pytest.mark.parametrize(
    ("method", "steps", "fewer"),
    [
        (JEM(sampling_steps=20), 20, JEM(sampling_steps=6)),
        (IGEBM(sampling_steps=4), 4, IGEBM(sampling_steps=4)),
        (Hybrid(alpha=1), 1000, Hybrid(alpha=1, process=GaussianProcess(timesteps=6))),
        (Denoising(process=GaussianProcess(timesteps=5)), 5, Denoising(process=GaussianProcess(timesteps=5))),
        (Classification(), 1, Classification()),
        (VERA(), 1, VERA()),
    ],
)
def test_a_chain_is_shortened_to_a_number_of_steps(method, steps, fewer):
    assert method.sampler_steps == steps
    assert method.with_sampler_steps(6) == fewer


@pytest.mark.parametrize(
    ("method", "data", "says"),
    [
        (Classification(), PLAIN, "method 'classification' classifies: dataset 'plain' has no classes"),
        (Hybrid(alpha=1), PLAIN, "method 'hybrid' classifies: dataset 'plain' has no classes"),
        (JEM(), PLAIN, "method 'jem' classifies: dataset 'plain' has no classes"),
        (Classification(augmentation={"flip": True}), TABLE, "augmentation of method 'classification' needs images: d"),
        (Denoising(augmentation={"mix": 0.5}), PLAIN, "mix=0.5 mixes labels too: dataset 'plain' has no classes"),
        (Denoising(), TABLE, "method 'denoising' needs images: dataset 'table' holds arrays"),
        (JEM(), TABLE, "method 'jem' needs images: dataset 'table' holds arrays"),
        (VERA(), TABLE, "method 'vera' needs images"),
        (VERA(generator=GENERATOR.but(doublings=4)), DIGITS, "doublings=4 cannot give the 8-pixel images of digits"),
        (JEM(buffer_size=127), DIGITS, "buffer_size=127 is less than batch_size=128"),
    ],
)
def test_data_that_a_method_cannot_use_are_refused(method, data, says):
    with pytest.raises(SpecError, match=f"^{says}"):
        method.check(data, Training(epochs=20, batch_size=128))


@pytest.mark.parametrize(
    ("method", "data"),
    [
        (Classification(), TABLE),
        (Classification(augmentation={"mix": 0.5}), DIGITS),
        (Denoising(augmentation={"flip": True}), PLAIN),
        (Denoising(), PLAIN),
        (JEM(buffer_size=128), DIGITS),
        (VERA(generator=GENERATOR), DIGITS),
    ],
)
def test_data_that_a_method_can_use_are_accepted(method, data):
    method.check(data, Training(epochs=20, batch_size=128))


WATCHED = MLP_RUN.but(data=DIGITS.but(further_splits={"validation": 9}))
UNWATCHED = TABLE.but(splits={"train": 9, "holdout": 3})


@pytest.mark.parametrize(
    ("config", "splits", "decides"),
    [
        (WATCHED, ("test",), None),
        (WATCHED.but(select={"split": "validation"}), ("test", "validation"), "validation_accuracy"),
        (WATCHED.but(select={"split": "test"}), ("test",), "test_accuracy"),
        (MLP_RUN.but(data=UNWATCHED, select={"split": "holdout"}), ("holdout",), "holdout_accuracy"),
        (MLP_RUN.but(data=UNWATCHED), (), None),
        (HYBRID.config.but(method=Denoising()), (), None),
    ],
)
def test_the_test_split_is_watched_and_another_may_decide(config, splits, decides):
    assert (config.validated_splits, config.deciding_value) == (splits, decides)
    assert VALIDATION_ACCURACY.better == "higher"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": Denoising(), "select": {}}, "method 'denoising' has no validation value to select the best state"),
        ({"select": {"split": "holdout"}}, "unknown split of dataset 'digits' 'holdout'"),
        ({"network": PlainMLP(), "method": Hybrid(alpha=1)}, "network 'foreign_mlp' has no predict_noise, which meth"),
    ],
)
def test_parts_of_a_run_that_do_not_fit_are_refused(changes, says):
    with pytest.raises(SpecError, match=says):
        HYBRID.config.but(**changes)


def test_a_run_counts_its_iterations_parameters_and_operations():
    assert HYBRID.iterations == 2 * (3 * 1437 // 64)
    assert HYBRID.parameters == NETWORK.parameters(DIGITS)
    assert HYBRID.train_flops == HYBRID.iterations * 64 * 3 * (CLASSIFIED + DENOISED)


def test_the_name_of_a_variant_tells_its_changes():
    longer = HYBRID.but(epochs=3, alpha=0.5)
    assert (longer.name, longer.config.training.epochs) == ("hybrid epochs=3 alpha=0.5", 3)
    assert HYBRID.but("network.dim", 16, depth=2).name == "hybrid network.dim=16 depth=2"
    part = Augmentation(flip=True)
    assert HYBRID.but(data=PLAIN.but(num_classes=2), augmentation=part).name == (
        f"hybrid data=plain augmentation={part.digest[:6]}"
    )
    assert HYBRID.with_config(epochs=3).name == HYBRID.name and HYBRID.with_config(epochs=3) == HYBRID.but(epochs=3)
    assert HYBRID.called("other").name == "other" and HYBRID.called("other") == HYBRID
    assert repr(HYBRID) == f"Run('hybrid', {HYBRID.config.digest[:12]})"
    assert HYBRID.but(seed=1) != HYBRID and HYBRID.config != HYBRID and hash(HYBRID) == hash(HYBRID.called("other"))


def test_ids_of_seeds_are_those_of_the_runs():
    assert list(HYBRID.ids([0, 5])) == [HYBRID.id, HYBRID.but(seed=5).id]
    assert len(HYBRID.id) == 12 and HYBRID.config.digest.startswith(HYBRID.id)


PLAYERS = Training(
    epochs=20,
    ema_decay=0.5,
    player_optimizers={"generator": {"kind": "adam", "learning_rate": 0.3}},
    player_schedules={"generator": {"kind": "constant"}},
    player_averages={"generator": {"decay": None, "every": 4}},
)


def test_players_may_have_settings_of_their_own():
    assert PLAYERS.optimizer_of("generator").learning_rate == 0.3
    assert PLAYERS.optimizer_of("network") == PLAYERS.optimizer
    assert PLAYERS.schedule_of("generator") == Constant()
    assert PLAYERS.schedule_of("network") == PLAYERS.schedule
    assert (PLAYERS.average_of("generator").decay, PLAYERS.average_of("generator").every) == (None, 4)
    assert (PLAYERS.average_of("network").decay, PLAYERS.average_of("network").every) == (0.5, 1)
    PLAYERS.check_players({"network", "generator"})
    for field in ("player_optimizers", "player_schedules", "player_averages"):
        with pytest.raises(SpecError, match=f"unknown player in {field} 'generator': .*allowed: network$"):
            Training(epochs=20, **{field: getattr(PLAYERS, field)}).check_players({"network"})


def test_a_batch_is_at_most_the_training_split():
    CLASSIFIER.training.but(batch_size=1437).check_batch(DIGITS)
    with pytest.raises(SpecError, match="batch_size=1438 exceeds the 1,437 training examples of 'digits'"):
        CLASSIFIER.training.but(batch_size=1438).check_batch(DIGITS)
