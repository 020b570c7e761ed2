"""What a scale makes of each configuration, worked out by hand."""

import pytest

from harness.config.augmentation import Augmentation
from harness.config.changes import KEEP, Fixed, over, times
from harness.config.dataset import Arrays, Images
from harness.config.energy_methods import IGEBM, JEM, VERA, JEMPlusPlus
from harness.config.evaluations import Generation, OutOfDistribution, Robustness
from harness.config.methods import Classification, Denoising, Hybrid
from harness.config.networks import JEMWideResNet, Network, ResNetGenerator, UNet, ViT, WideResNet
from harness.config.networks.base import halvable, halvings
from harness.config.optimisation import SGD, Adam, AdamW, Cosine, StepDecay
from harness.config.processes import GaussianProcess
from harness.config.run import RunConfig
from harness.config.samplers import DDIM
from harness.config.shrinking import Length, Rule, Shrinking
from harness.config.training import Average, Training
from harness.data.catalogue import CIFAR10, CIFAR100, DIGITS, SVHN
from harness.errors import SpecError


def pictures(size, train=100):
    return Images(name=f"p{size}", image_size=size, channels=1, num_classes=10, train_examples=train, test_examples=1)


TABLE = Arrays(name="table", fields={"x": ((2,), "float32"), "y": ((), "int64")}, splits={"train": 9})


def shrinking(*rules, data=CIFAR10, small=CIFAR10, stand_ins=None, **length):
    return Shrinking(rules, stand_ins or {}, data, small, Length(**length))


@pytest.mark.parametrize(("size", "small", "count"), [(32, 8, 2), (32, 12, 1), (32, 7, 2), (32, 32, 0), (8, 32, 0)])
def test_images_are_halved_while_they_are_no_smaller_than_the_stand_in(size, small, count):
    assert halvings(pictures(size), pictures(small)) == count
    assert halvings(TABLE, pictures(small)) == halvings(pictures(size), TABLE) == 0


@pytest.mark.parametrize(("size", "most", "count"), [(8, 5, 3), (12, 5, 2), (7, 5, 0), (8, 2, 2), (8, 0, 0)])
def test_a_size_is_halved_while_it_is_even(size, most, count):
    assert halvable(size, most) == count


HALF = Rule({"width": over(2), "depth": over(2), "heads": over(2), "patch": over(2), "latents": over(4)})


@pytest.mark.parametrize(
    ("size", "network", "expected"),
    [
        # The 32-pixel images of a U-Net have levels of 32, 16, 8 and 4 pixels.
        (8, UNet(attention=(16,)), {"multipliers": (1, 2), "attention": (4,)}),
        (8, UNet(attention=(32, 4)), {"multipliers": (1, 2), "attention": (8, 4)}),
        (12, UNet(attention=(16, 4)), {"multipliers": (1, 2, 2), "attention": (6, 3)}),
        (7, UNet(attention=(16, 4)), {"multipliers": (1,), "attention": (7,)}),
        (2, UNet(attention=(16,)), {"multipliers": (1,), "attention": (2,)}),
        (64, UNet(attention=(16,)), {"multipliers": (1, 2, 2, 2), "attention": (32,)}),
        (32, UNet(attention=(16, 8)), {"multipliers": (1, 2, 2, 2), "attention": (16, 8)}),
        (8, UNet(multipliers=(1, 2, 3), attention=()), {"multipliers": (1,), "attention": ()}),
        (32, ResNetGenerator(), {"doublings": 3}),
        (12, ResNetGenerator(), {"doublings": 2}),
        (8, ResNetGenerator(), {"doublings": 1}),
        (7, ResNetGenerator(), {"doublings": 1}),
        (4, ResNetGenerator(doublings=2), {"doublings": 1}),
    ],
)
def test_networks_lose_a_level_for_each_halving_of_the_images(size, network, expected):
    assert shrinking(small=pictures(size)).shrunk(network) == network.but(**expected)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (UNet(), {"base_channels": 64, "groups": 16, "blocks": 1}),
        (ResNetGenerator(), {"features": 128, "noise_dim": 32}),
        (ViT(dim=48, depth=9, heads=12, patch_size=4), {"dim": 24, "depth": 4, "heads": 6, "patch_size": 2}),
        (
            ViT(dim=48, depth=9, heads=12, patch_size=4, dim_head=5),
            {"dim": 24, "depth": 4, "heads": 6, "patch_size": 2, "dim_head": 30 // 6},
        ),
        (WideResNet(depth=28, widen_factor=10), {"depth": 4 + 6 * 2, "widen_factor": 5}),
        (JEMWideResNet(depth=40, widen_factor=2), {"depth": 4 + 6 * 3, "widen_factor": 1}),
    ],
)
def test_networks_shrink_by_the_rules(network, expected):
    assert shrinking(HALF).shrunk(network) == network.but(**expected)


def test_few_queries_are_left_of_many_heads():
    narrow = ViT(dim=48, depth=1, heads=12, patch_size=4, dim_head=1)
    assert shrinking(Rule({"width": over(2)})).shrunk(narrow) == narrow.but(dim=24, dim_head=1)
    wide = narrow.but(dim_head=8)
    assert shrinking(Rule({"heads": over(3)})).shrunk(wide) == wide.but(heads=4, dim_head=96 // 4)


ALL = Rule(
    {
        "buffer": over(10), "chain": over(4), "timesteps": over(5), "learning_rate": times(10), "ema_decay": 0.5,
        "samples": over(4), "features": "classifier", "sampler_steps": over(2), "attacked_images": over(8),
        "width": over(2),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (JEM(), {"buffer_size": 1000, "langevin_steps": 5, "sampling_steps": 5}),
        (IGEBM(), {"buffer_size": 1000, "langevin_steps": 15, "sampling_steps": 15}),
        (JEMPlusPlus(), {"buffer_size": 1000, "outer_steps": 2, "sampling_steps": 2}),
        (VERA(), {"generator": ResNetGenerator(features=128)}),
        (Hybrid(alpha=1), {"process": GaussianProcess(timesteps=200)}),
        (Denoising(), {"process": GaussianProcess(timesteps=200)}),
        (Classification(), {}),
        (AdamW(), {"learning_rate": 0.01}),
        (SGD(learning_rate=0.1), {"learning_rate": 1.0}),
        (Average(decay=0.9, every=2), {"decay": 0.5}),
        (Average(decay=None), {}),
        (Generation(sampler=DDIM(steps=10)), {"samples": 2500, "features": "classifier", "sampler": DDIM(steps=5)}),
        (Robustness(norm="l2", epsilons=(1,), steps=8), {"images": 125}),
        (OutOfDistribution(), {}),
    ],
)
def test_each_kind_has_its_sizes(part, expected):
    assert shrinking(ALL).shrunk(part) == part.but(**expected)
    assert shrinking().shrunk(part) is part


@pytest.mark.parametrize(
    ("schedule", "length", "expected"),
    [
        (Cosine(warmup_epochs=10), {"epochs": (500, 12), "factor": 0.024}, {"warmup_epochs": 0.24}),
        (Cosine(warmup_epochs=10), {"epochs": (20, 3), "factor": 0.5}, {"warmup_epochs": 3}),
        (Cosine(warmup_epochs=10), {"epochs": (20, 7), "factor": 0.5}, {"warmup_epochs": 5}),
        (
            StepDecay(milestones=(60, 160), warmup_iterations=1000),
            {"epochs": (200, 5), "iterations_per_epoch": (1171, 134)},
            {"milestones": (1.5, 4.0), "warmup_iterations": 3},  # 1000 / 1171 / 40 * 134 = 2.86
        ),
        (
            StepDecay(milestones=(60,), warmup_iterations=8),
            {"epochs": (200, 100), "iterations_per_epoch": (0, 3)},
            {"milestones": (30,), "warmup_iterations": 12},
        ),
    ],
)
def test_a_schedule_keeps_its_share_of_the_training(schedule, length, expected):
    assert shrinking(**length).shrunk(schedule) == schedule.but(**expected)


def test_a_length_has_the_share_of_its_epochs():
    assert (Length(epochs=(200, 5)).share, Length().share, Length().factor) == (0.025, 1, 1)
    assert (Length().epochs, Length().iterations_per_epoch) == ((1, 1), (1, 1))


CONFIG = RunConfig(
    data=CIFAR10,
    network=ViT(dim=48, depth=2, heads=4, patch_size=4),
    method=Hybrid(alpha=1),
    training=Training(
        epochs=200,
        schedule=StepDecay(milestones=(60,), warmup_iterations=1000),
        player_optimizers={"network": Adam(learning_rate=0.1)},
    ),
)


def test_a_training_shrinks_with_all_that_depends_on_its_length():
    rules = Rule(
        {"epochs": times(0.024), "batch": over(4), "passes": over(2), "ema_decay": 0.9, "precision": "bf16",
         "learning_rate": over(2)}
    )  # fmt: skip
    small = shrinking(rules, small=DIGITS, stand_ins={"cifar10": DIGITS}).shrunk(CONFIG)
    assert small.data == DIGITS
    training = small.training
    assert (training.epochs, training.batch_size, training.passes_per_epoch) == (5, 32, 1)
    assert (training.ema_decay, training.precision) == (0.9, "bf16")
    assert training.optimizer == AdamW(learning_rate=5e-4)
    assert training.player_optimizers == {"network": Adam(learning_rate=0.05)}
    # 1,171 iterations per epoch become 44: a warm-up of 1000 / 1171 * 5 / 200 * 44 = 0.94 iterations.
    assert training.schedule == StepDecay(milestones=(1.5,), warmup_iterations=1)
    cosine = CONFIG.but(schedule=Cosine(warmup_epochs=10))
    assert shrinking(rules).shrunk(cosine).training.schedule == Cosine(warmup_epochs=0.24)
    assert shrinking(Rule({"batch": over(4)})).shrunk(cosine).training.schedule == Cosine(warmup_epochs=10)


def test_the_last_rule_that_covers_a_field_wins():
    rules = (
        Rule({"width": over(8), "depth": over(2)}),
        Rule({"dim": 24, "width": over(3)}, kind=ViT),
        Rule({"depth": 1}, kind=UNet),
        Rule({"patch": KEEP}),
    )
    network = CONFIG.network.but(depth=4)
    assert shrinking(*rules).shrunk(network) == network.but(dim=24, depth=2)
    assert shrinking(rules[1], rules[0]).changed(network) == {"dim": 6, "depth": 2}
    assert shrinking(Rule({"dim": 24}, kind=WideResNet)).changed(network) == {}
    assert shrinking(Rule({"width": over(3)}, kind=Network)).changed(network) == {"dim": 16}
    assert shrinking(Rule({"dim": 24})).changed(network) == {}, "without a kind, a rule names sizes"


@pytest.mark.parametrize(
    ("rule", "applies"),
    [
        (Rule({}), True),
        (Rule({}, data=("cifar10",)), True),
        (Rule({}, data=("svhn", "cifar100")), False),
        (Rule({}, runs=("abc",)), True),
        (Rule({}, runs=("abd",)), False),
        (Rule({}, data=("cifar10",), runs=("abd",)), False),
        (Rule({}, data=("svhn",), runs=("abc",)), False),
        (Rule({}, data=("cifar10",), runs=("abd", "abc")), True),
    ],
)
def test_a_rule_may_be_for_some_datasets_and_some_runs(rule, applies):
    assert rule.applies_to("abc", "cifar10") is applies


def test_plain_values_of_a_rule_are_fixed():
    assert Rule({"width": 8, "depth": over(2)}).changes == {"width": Fixed(8), "depth": over(2)}


def test_derived_values_give_way_to_rules():
    network = CONFIG.network
    assert shrinking(Rule({"depth": over(2)})).applied(network, depth=7, mlp_ratio=3) == network.but(
        depth=1, mlp_ratio=3
    )
    assert shrinking(Rule({"depth": over(2)})).resized(network, "depth", 6) == 3
    assert shrinking(Rule({"depth": over(2)})).resized(network, "dim", 6) == 6
    factors = [shrinking(Rule({"depth": over(4)})).factor(network, name, 2) for name in ("depth", "dim")]
    assert factors == [0.25, 1]


def test_stand_ins_are_for_datasets_that_have_one():
    within = shrinking(stand_ins={"cifar10": DIGITS, "svhn": pictures(4)})
    assert [within.stand_in(data) for data in (CIFAR10, SVHN, DIGITS)] == [DIGITS, pictures(4), DIGITS]
    assert shrinking().stand_in(CIFAR100) == CIFAR100
    with pytest.raises(SpecError) as caught:
        within.stand_in(CIFAR100)
    assert str(caught.value) == ("dataset 'cifar100' has no stand-in: did you mean 'cifar10'? allowed: cifar10, svhn")
    assert within.shrunk(OutOfDistribution(outliers=SVHN)).outliers == pictures(4)


def test_a_change_that_does_not_fit_names_the_field():
    with pytest.raises(SpecError, match=r"^Augmentation\.flip: over\(2\) applies to numbers, not False$"):
        shrinking(Rule({"flip": over(2)}, kind=Augmentation)).shrunk(Augmentation())
