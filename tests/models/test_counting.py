"""Counts of networks without a closed form: equal to closed forms where one exists, correct for external modules."""

from typing import ClassVar, Literal

import pytest
import torch
from foreign import MLP_RUN, REGRESSION_RUN, TOKENS, PlainMLP, Regressor, TokenNetwork
from torch import nn

from harness.config.dataset import Arrays
from harness.config.interfaces import FORWARD, GENERATE, LOGITS, PREDICT_NOISE
from harness.config.networks import JEMWideResNet, Network, ResNetGenerator, UNet, ViT, WideResNet
from harness.config.run import Run
from harness.data.catalogue import CIFAR10, DIGITS
from harness.errors import SpecError
from harness.methods.base import build_method
from harness.models.base import build_network
from harness.models.counting import flops, parameters

CLOSED = [
    (ViT(dim=48, depth=2, heads=4, patch_size=4), CIFAR10, (PREDICT_NOISE,)),
    (WideResNet(depth=10, widen_factor=1), DIGITS, (LOGITS,)),
    (JEMWideResNet(depth=10, widen_factor=2, norm="batch"), CIFAR10, (LOGITS,)),
    (UNet(base_channels=16, multipliers=(1, 2), blocks=1, attention=(4,), groups=8), DIGITS, (PREDICT_NOISE,)),
    (ResNetGenerator(features=8, noise_dim=6, doublings=2), DIGITS, (GENERATE,)),
]
TEXT = Arrays(
    name="text",
    fields={"tokens": ((64,), "int64"), "next": ((64,), "int64")},
    splits={"train": 100, "test": 10},
)
TABLE = Arrays(name="table", fields={"columns": ((20,), "float32"), "price": ((), "float32")}, splits={"train": 100})


@pytest.mark.parametrize(("config", "data", "passes"), CLOSED, ids=lambda value: getattr(value, "kind", None))
def test_counts_are_those_of_the_closed_forms(config, data, passes):
    assert parameters(config, data) == config.parameters(data)
    for name in passes:
        assert flops(config, data, name) == config.flops(data, name)


@pytest.mark.parametrize(("data", "inputs"), [(DIGITS, 64), (TABLE, 20)], ids=["images", "table"])
def test_an_mlp_is_counted_by_hand(data, inputs):
    config = Regressor(hidden=12, norm=True)
    assert config.parameters(data) == (inputs + 1) * 12 + 2 * 12 + 12 + 1
    assert config.flops(data, FORWARD) == 2 * (inputs * 12 + 12)


def test_a_transformer_is_counted_by_hand():
    """Tied weights count once; attention products once per head."""
    width, length = 8, 64
    config = TokenNetwork(width=width)
    layer = 4 * width * width + 4 * width + (width + 1) * 2 * width + (2 * width + 1) * width + 4 * width
    assert config.parameters(TEXT) == TOKENS * width + length * width + layer
    products = length * (4 * width**2 + 2 * width * 2 * width + width * TOKENS) + 2 * length**2 * width
    assert config.flops(TEXT, FORWARD) == 2 * products


def test_plans_count_what_a_worker_builds():
    for config in (MLP_RUN, REGRESSION_RUN):
        run = Run("foreign", config)
        built = build_method(config, torch.device("cpu")).parameters()
        assert run.parameters == sum(parameter.numel() for parameter in built)
        (name,) = config.network.passes
        assert run.train_flops == run.iterations * 60 * 3 * config.network.flops(DIGITS, name) > 0


class OfTests(Network):
    """A network whose module each test supplies."""

    kind: Literal["foreign_of_tests"] = "foreign_of_tests"
    implementation: ClassVar[str] = "what the test says"

    width: int = 7


class Choosy(nn.Module):
    """Has a forward pass that branches on values, or a constructor that needs values."""

    def __init__(self, by_values):
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, 3)] if by_values else []
        self.norm = nn.BatchNorm1d(64) if by_values else nn.Identity()  # fails on one example in training
        self.layer = nn.Linear(64, 7)

    def forward(self, x):
        return self.layer(self.norm(x.flatten(1))) if self.rates or x.sum() >= 0 else x


@pytest.fixture
def built_by(monkeypatch):
    """Make the network build what a function of the test returns."""

    def set_to(build):
        monkeypatch.setattr("harness.models.base.resolve", lambda name: lambda config, data: build())

    return set_to


def test_a_module_that_needs_values_to_be_built_is_counted_all_the_same(built_by):
    built_by(lambda: Choosy(by_values=True))
    config, before = OfTests(width=1), torch.random.get_rng_state()
    assert config.parameters(DIGITS) == 65 * 7 + 2 * 64
    assert config.flops(DIGITS, FORWARD) == 2 * 64 * 7
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_course_that_depends_on_values_is_estimated_by_the_parameters(built_by):
    built_by(lambda: Choosy(by_values=False))
    assert OfTests(width=2).flops(DIGITS, FORWARD) == 2 * 65 * 7


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: 1 / 0, "network 'foreign_of_tests' cannot be built: ZeroDivisionError: division by zero"),
        (lambda: "a text", "builds a str, not a torch.nn.Module"),
    ],
)
def test_what_cannot_be_built_is_told_on_one_line(built_by, build, message):
    built_by(build)
    with pytest.raises(SpecError, match=message):
        OfTests(width=3).parameters(DIGITS)


def test_a_promised_pass_is_served_by_forward_or_refused(built_by):
    network = build_method(MLP_RUN, torch.device("cpu")).network
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(network.eval().logits(images), network(images))

    class Named(PlainMLP):
        kind: Literal["foreign_named"] = "foreign_named"
        passes: ClassVar[frozenset[str]] = frozenset({LOGITS, FORWARD})

    adapted = build_network(Named(), DIGITS).eval()
    assert adapted.PASSES == (FORWARD, LOGITS)
    assert torch.equal(adapted.logits(images), adapted(images))

    class Both(PlainMLP):
        kind: Literal["foreign_both"] = "foreign_both"
        passes: ClassVar[frozenset[str]] = frozenset({LOGITS, GENERATE})

    with pytest.raises(SpecError, match=r"'foreign_both' declares 'generate', but MLP lacks .*: generate$"):
        Both().parameters(DIGITS)
