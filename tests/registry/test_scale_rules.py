"""Scale rules: each kind applies them to itself, and the last rule about a field wins."""

import math
from typing import ClassVar, Literal

import pytest

from harness.config.augmentation import Augmentation, AugmentationStep
from harness.config.changes import KEEP, at_most, over, swap, times
from harness.config.dataset import Arrays
from harness.config.energy_methods import JEM, VERA
from harness.config.evaluations import Generation, OutOfDistribution, Robustness
from harness.config.methods import Hybrid
from harness.config.networks import JEMWideResNet, Network, ResNetGenerator, UNet, ViT, WideResNet
from harness.config.networks.wide_resnet import WideResidual
from harness.config.optimisation import SGD, Adam, Cosine, StepDecay
from harness.config.processes import GaussianProcess
from harness.config.run import Run, RunConfig
from harness.config.samplers import DDIM
from harness.config.shrinking import Rule, Shrinking
from harness.config.training import Average, Training
from harness.data.catalogue import CIFAR10, CIFAR100, DIGITS, MOSAICS, SCENES, SVHN, TEMPLE
from harness.errors import SpecError
from harness.registry.scale import Scale, Spread
from harness.registry.scale_rules import Rules, everywhere, for_runs, of, on, sizes

RUN = Run(
    "hybrid",
    RunConfig(
        data=CIFAR10,
        network=ViT(dim=384, depth=9, heads=12, patch_size=4),
        method=Hybrid(alpha=1, process=GaussianProcess(timesteps=1000), augmentation=Augmentation(flip=True, mix=0.5)),
        training=Training(epochs=500, warmup_epochs=10),
    ),
)
TOKENS = Arrays(name="text", fields={"text": ((128,), "int64"), "next": ((128,), "int64")}, splits={"train": 900})
FEW_TOKENS = TOKENS.but(name="short", fields={"text": ((16,), "int64"), "next": ((16,), "int64")})


class Experts(Network):
    """An external network that declares its size fields, including one size of its own."""

    kind: Literal["tests.experts"] = "tests.experts"
    implementation: ClassVar[str] = "tests:Experts"
    shrinks: ClassVar[dict[str, str]] = {"hidden": "width", "layers": "depth", "experts": "experts"}

    hidden: tuple[int, ...] = (512, 256)
    layers: int = 12
    experts: int = 64


class Silent(Network):
    """A network that declares nothing, but has fields named like sizes."""

    kind: Literal["tests.silent"] = "tests.silent"
    implementation: ClassVar[str] = "tests:Silent"

    width: int = 512
    depth: int = 12


class Noise(AugmentationStep):
    """An additional augmentation step."""

    kind: Literal["tests.noise"] = "tests.noise"
    implementation: ClassVar[str] = "tests:noise"
    shrinks: ClassVar[dict[str, str]] = {"strength": "noise"}

    strength: float = 0.5


PLAYERS = RUN.but(
    network=JEMWideResNet(depth=28, widen_factor=10),
    method=VERA(generator=ResNetGenerator(features=256, noise_dim=128)),
    optimizer=Adam(learning_rate=1e-4),
    player_optimizers={"generator": Adam(learning_rate=2e-4), "posterior": SGD(learning_rate=0.1)},
    player_averages={"generator": Average(decay=0.9999), "posterior": Average(decay=None)},
)
"""Two networks, one of which is the method's own, and three optimisers."""


def shrinking(*rules, data=CIFAR10, small_data=CIFAR10):
    return Shrinking(rules, {}, data, small_data)


SMALLER = (everywhere(width=over(8), depth=over(3), heads=over(4), patch=over(2), latents=over(4)),)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (ViT(dim=384, depth=9, heads=12, patch_size=4), ViT(dim=48, depth=3, heads=3, patch_size=2)),
        (
            ViT(dim=512, depth=9, heads=12, dim_head=42, patch_size=8),
            ViT(dim=64, depth=3, heads=3, dim_head=21, patch_size=4),
        ),
        (WideResNet(depth=28, widen_factor=10), WideResNet(depth=10, widen_factor=1)),
        (JEMWideResNet(depth=58, widen_factor=16), JEMWideResNet(depth=22, widen_factor=2)),
        (
            UNet(base_channels=128, multipliers=(1, 2, 2, 2), blocks=2, groups=32, attention=(16,)),
            UNet(base_channels=16, multipliers=(1, 2), blocks=1, groups=4, attention=(4,)),
        ),
        (ResNetGenerator(features=256, noise_dim=128), ResNetGenerator(features=32, noise_dim=32, doublings=1)),
        (Experts(), Experts(hidden=(64, 32), layers=4)),
        (Silent(), Silent()),
    ],
)
def test_each_kind_of_network_says_what_becomes_of_it(network, expected):
    small = shrinking(*SMALLER, small_data=DIGITS).shrunk(network)
    assert small == expected
    small.check(DIGITS)


@pytest.mark.parametrize("data", [DIGITS, MOSAICS, SCENES, CIFAR10])
@pytest.mark.parametrize("attention", [(), (16,), (4, 16)])
def test_a_u_net_fits_images_of_any_size(data, attention):
    small = shrinking(small_data=data).shrunk(UNet(attention=attention))
    small.check(data)
    assert bool(small.attention) == bool(attention)


def test_without_rules_nothing_changes():
    for run in (RUN, PLAYERS):
        assert Rules(()).run(run) == run
    evaluation = Generation(samples=50, sampler=DDIM(steps=20))
    assert Rules(()).evaluation(evaluation, RUN) == evaluation


def test_a_training_becomes_shorter_with_its_schedule():
    rules = Rules((everywhere(epochs=times(12 / 500), batch=over(4), ema_decay=0.99, precision="bf16"),))
    training = rules.run(RUN).config.training
    assert (training.epochs, training.batch_size, training.ema_decay, training.precision) == (12, 32, 0.99, "bf16")
    assert training.schedule == Cosine(warmup_epochs=0.24)
    assert rules.run(RUN.but(epochs=100)).config.training.schedule == Cosine(warmup_epochs=0.24)
    assert rules.run(RUN.but(ema_decay=None)).config.training.ema_decay is None
    assert Rules((everywhere(epochs=12),)).run(RUN).config.training.schedule == Cosine(warmup_epochs=0.24)
    warming = Rules((everywhere(epochs=times(0.024)),)).run(RUN.but(epochs=50, warmup_epochs=50)).config.training
    assert (warming.epochs, warming.schedule.warmup_epochs) == (1, 1)


def test_milestones_and_warm_up_keep_their_share_of_the_training():
    steps = StepDecay(milestones=(60, 160), decay=0.2, warmup_iterations=1000)
    run = RUN.but(epochs=200, schedule=steps)
    rules = Rules((everywhere(epochs=times(0.024), batch=over(4)),), data={"cifar10": DIGITS})
    before, after = run.config.training, (small := rules.run(run)).config.training
    assert after.schedule.milestones == pytest.approx([60 * 5 / 200, 160 * 5 / 200])
    assert after.schedule.warmup_iterations == round(1000 / before.iterations(CIFAR10) * small.iterations)
    earlier = Rules((*rules.rules, of(StepDecay, milestones=(1,), warmup_iterations=over(10))), rules.data)
    assert earlier.run(run).config.training.schedule == steps.but(milestones=(1,), warmup_iterations=100)


def test_the_last_rule_about_a_field_decides():
    rules = (
        everywhere(width=over(8), patch=over(2), learning_rate=times(10)),
        of(SGD, learning_rate=KEEP),
        on("cifar10", patch=over(4)),
        for_runs(RUN.but(dim=768), width=over(2)),
    )
    small = Rules(rules, {"cifar10": DIGITS, "cifar100": DIGITS}).run
    assert small(RUN).config.network == RUN.config.network.but(dim=48, patch_size=1)
    assert small(RUN.but(data=CIFAR100)).config.network.patch_size == 2
    assert small(RUN.but(dim=768).called("another name")).config.network.dim == 384
    assert small(RUN.but(optimizer=SGD(learning_rate=0.1))).config.training.optimizer.learning_rate == 0.1
    assert small(RUN).config.training.optimizer.learning_rate == 0.01
    again = Rules((*rules, everywhere(width=over(16))), {"cifar10": DIGITS})
    assert again.run(RUN.but(dim=768)).config.network.dim == 48


def test_a_rule_for_a_kind_is_about_those_derived_from_it_and_no_others():
    rules = (everywhere(width=over(8)), of(WideResidual, depth=2), of(ViT, mlp_ratio=over(2)))
    assert shrinking(*rules).shrunk(WideResNet(depth=28)) == WideResNet(depth=16, widen_factor=1)
    assert shrinking(*rules).shrunk(RUN.config.network) == RUN.config.network.but(dim=48, mlp_ratio=1)
    combined = Rule({"dim": 96}, kind=ViT, data=("cifar100",))
    data = {"cifar10": DIGITS, "cifar100": DIGITS}
    found = (Rules((combined, everywhere(patch=over(2))), data).run(RUN.but(data=d)) for d in (CIFAR10, CIFAR100))
    assert [run.config.network.dim for run in found] == [384, 96]


def test_kinds_of_plugins_declare_fields_and_rules_name_the_others():
    rules = (everywhere(width=over(8), experts=over(16), noise=times(0.5)), of(Silent, depth=over(4)))
    on_tokens = shrinking(*rules, data=TOKENS, small_data=FEW_TOKENS)
    assert on_tokens.shrunk(Experts()) == Experts(hidden=(64, 32), experts=4)
    assert on_tokens.shrunk(Silent()) == Silent(depth=3)
    augmented = RUN.but(augmentation=Augmentation(steps=(Noise(),)))
    assert Rules(rules).run(augmented).config.method.augmentation.steps == (Noise(strength=0.25),)


def test_every_player_of_a_method_is_shrunk():
    rules = (everywhere(width=over(8), learning_rate=times(10), ema_decay=0.9), of(SGD, learning_rate=KEEP))
    config = Rules(rules, {"cifar10": DIGITS}).run(PLAYERS).config
    assert config.network.widen_factor == 1
    assert config.method.generator == ResNetGenerator(features=32, noise_dim=128, doublings=1)
    assert config.training.player_optimizers == {
        "generator": Adam(learning_rate=2e-3), "posterior": SGD(learning_rate=0.1)
    }  # fmt: skip
    assert config.training.player_averages == {"generator": Average(decay=0.9), "posterior": Average(decay=None)}


def test_methods_and_augmentation():
    rules = (
        everywhere(timesteps=over(40), buffer=over(10)),
        of(Augmentation, flip=False, policy=swap({"cifar10": "digits"}), mix=over(5)),
    )
    method = Rules(rules).run(RUN.but(policy="cifar10")).config.method
    assert method.process.timesteps == 25
    assert method.augmentation == Augmentation(policy="digits", mix=0.1)
    jem = JEM(langevin_steps=20, buffer_size=10_000)
    assert shrinking(*rules).shrunk(jem) == jem.but(buffer_size=1000)
    assert shrinking(everywhere(chain=over(2))).shrunk(jem) == jem.but(langevin_steps=10, sampling_steps=10)


def test_evaluations_have_stand_ins_of_their_own_and_rules_by_dataset():
    rules = Rules(
        (
            everywhere(samples=at_most(1000), features="classifier", attacked_images=100, sampler_steps=over(10)),
            on("cifar100", samples=at_most(200)),
        ),
        data={"cifar10": DIGITS, "cifar100": MOSAICS},
        evaluation_data={"svhn": TEMPLE, "cifar100": SCENES},
    )
    assert rules.evaluation(Generation(sampler=DDIM(steps=50)), RUN) == Generation(
        samples=1000, features="classifier", sampler=DDIM(steps=5)
    )
    assert rules.evaluation(Generation(), RUN.but(data=CIFAR100)).samples == 200
    assert rules.evaluation(Robustness(norm="l2", epsilons=(1.0,), steps=50), RUN) == Robustness(
        norm="l2", epsilons=(1.0,), steps=50, images=100
    )
    for outliers, stand_in in ((SVHN, TEMPLE), (CIFAR100, SCENES), (CIFAR10, DIGITS)):
        assert rules.evaluation(OutOfDistribution(outliers=outliers), RUN).outliers == stand_in
    assert rules.evaluation(OutOfDistribution(outliers=None), RUN).outliers is None
    assert rules.run(RUN.but(data=CIFAR100)).config.data == MOSAICS


def test_a_dataset_needs_a_stand_in_where_there_are_any_unless_it_is_one():
    rules = Rules((), {"cifar100": DIGITS})
    with pytest.raises(SpecError, match=r"dataset 'cifar10' has no stand-in: .*allowed: cifar100"):
        rules.run(RUN)
    with pytest.raises(SpecError, match="dataset 'svhn' has no stand-in"):
        rules.evaluation(OutOfDistribution(outliers=SVHN), RUN.but(data=CIFAR100))
    assert rules.run(RUN.but(data=DIGITS)).config.data == DIGITS
    own = Rules((for_runs(RUN, data=SCENES), everywhere(patch=over(2))), {"cifar10": DIGITS})
    assert own.run(RUN).config.data == SCENES


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rules((everywhere(widht=over(8)),)), "size in a rule of a scale 'widht': did you mean 'width'"),
        (lambda: Rules((everywhere(mlp_ratio=1),)), "unknown size in a rule of a scale 'mlp_ratio'"),
        (lambda: Rules((of(SGD, learning_rat=1),)), "unknown field or size of SGD .*did you mean 'learning_rate'"),
        (lambda: Rules((of(SGD, kind="adam"),)), "unknown field or size of SGD in a rule of a scale 'kind'"),
        (lambda: Rules((on("cifar1", patch=1),), {"cifar10": DIGITS}), "unknown dataset in a rule .*'cifar10'"),
        (lambda: Rules(({"width": 8},)), "a rule of a scale is a dict, not a Rule"),
        (lambda: Rules((), {"cifar10": "digits"}), "the stand-in for dataset 'cifar10' is a str, not a Dataset"),
        (lambda: of("sgd", learning_rate=1), "needs a class, such as SGD or UNet, not 'sgd'"),
        (lambda: on(patch=1), "needs at least one dataset"),
        (lambda: for_runs(patch=1), "needs at least one run"),
        (lambda: for_runs("hybrid", patch=1), "a run in a rule of a scale is a str, not a Run"),
        (lambda: Rules((of(Augmentation, flip=over(2)),)).run(RUN), r"Augmentation.flip: over\(2\) applies to numbers"),
        (lambda: Rules((everywhere(heads=over(2.4)),)).run(RUN), "heads=5 does not divide dim=384"),
    ],
)
def test_rules_that_cannot_be_applied_are_refused_on_one_line(make, message):
    with pytest.raises(SpecError, match=message) as raised:
        make()
    assert "\n" not in str(raised.value)


def test_sizes_are_those_that_kinds_say_they_have():
    assert {"width", "epochs", "buffer", "samples", "experts", "noise"} <= sizes()


def test_a_size_of_a_field_that_there_is_not_is_refused(monkeypatch):
    monkeypatch.setattr(Network, "kinds", dict(Network.kinds))
    with pytest.raises(SpecError, match=r"unknown field in shrinks of .*Small 'hiden': did you mean 'hidden'\?"):

        class Small(Network):
            kind: Literal["tests.small"] = "tests.small"
            shrinks: ClassVar[dict[str, str]] = {"hiden": "width"}

            hidden: int = 32


@pytest.mark.parametrize("key", [("digits", "fid"), "digits", ("digits", "fid", None), ("digits", "fid", "a", "b")])
def test_a_declared_spread_names_data_metric_and_kind(key):
    with pytest.raises(SpecError, match=r"scale 's': a key of spread is .* such as \('digits', 'fid', 'hybrid vit'\)"):
        Scale("s", "n", comparable=False, spread={key: Spread(1.0, 3)})


@pytest.mark.parametrize(
    ("sd", "df", "field"), [(-1.0, 3, "sd"), (math.nan, 3, "sd"), (math.inf, 3, "sd"), (1.0, 0, "df")]
)
def test_a_declared_spread_is_a_finite_deviation_with_degrees_of_freedom(sd, df, field):
    with pytest.raises(SpecError, match=f"a spread between seeds: {field} is "):
        Spread(sd, df)
