"""Accelerated forward passes (bfloat16, compilation): numerical effects, and how contexts end."""

from typing import NamedTuple

import pytest
import torch
from foreign import MLP_RUN, REGRESSION_RUN, TOKEN_RUN

from harness.config.methods import Classification, Denoising
from harness.config.networks import JEMWideResNet, UNet, WideResNet
from harness.config.run import RunConfig
from harness.data.catalogue import DIGITS
from harness.methods.base import build_method
from harness.models.acceleration import accelerate, accelerated, matmuls_in, unaccelerated
from harness.models.attention import attend
from harness.models.dropout import seed_dropout
from harness.randomness import Stream
from harness_papers.hybvit.runs import HYBVIT

SMALL = HYBVIT.config.but(dim=48, depth=2, heads=3)
CPU = torch.device("cpu")


@pytest.fixture
def network():
    return build_method(SMALL, CPU).network


@pytest.fixture(scope="module")
def images():
    return torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def passes(network, images):
    return network.logits(images), network.predict_noise(images, torch.arange(8) * 100)


def difference(a, b):
    return ((a - b).norm() / b.norm()).item()


def test_bfloat16_is_close_and_comes_back_as_float32(network, images):
    exact = passes(network, images)
    accelerate(network, "bf16", compiled=False)
    for reduced, reference in zip(passes(network, images), exact, strict=True):
        assert reduced.dtype == torch.float32
        assert 1e-5 < difference(reduced, reference) < 0.02


@pytest.mark.soak
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_passes_equal_the_others_and_keep_their_results(network, images, precision):
    with accelerated([network], precision, compiled=False):
        expected = passes(network, images)
    with accelerated([network], precision, compiled=True), torch.inference_mode():
        first = passes(network, images)
        passes(network, -images)
    tolerance = {"fp32": 1e-5, "bf16": 0.01}[precision]
    for result, reference in zip(first, expected, strict=True):
        assert difference(result, reference) < tolerance


CONVOLUTIONAL = {
    "wide_resnet": RunConfig(
        data=DIGITS,
        network=WideResNet(depth=10, widen_factor=2),
        method=Classification(),
        training=HYBVIT.config.training,
    ),
    "jem_wide_resnet": RunConfig(
        data=DIGITS,
        network=JEMWideResNet(depth=10, widen_factor=2, norm="batch", dropout=0.3),
        method=Classification(),
        training=HYBVIT.config.training,
    ),
    "unet": RunConfig(
        data=DIGITS,
        network=UNet(base_channels=16, multipliers=(1, 2), blocks=1, attention=(4,), groups=8),
        method=Denoising(),
        training=HYBVIT.config.training,
    ),
}


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", CONVOLUTIONAL)
def test_convolutional_networks_train_alike_when_accelerated(kind, precision, compiled):
    """With BatchNorm running statistics and with dropout, which changes in every step."""

    def trained(network):
        """Return the outputs of two forward passes, the gradient of the stem, and the running statistics."""
        network.train()
        made = []
        for step in range(2):
            seed_dropout(network, Stream(step), torch.arange(8))
            x = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(step)) * 2 - 1
            noise = kind == "unet"
            made.append(network.predict_noise(x, torch.arange(8) * 100) if noise else network.logits(x))
            made[-1].square().sum().backward()
        statistics = [value for name, value in network.state_dict().items() if "running" in name]
        return [*made, network.stem.weight.grad, *statistics]

    unaccelerated, fast = (build_method(CONVOLUTIONAL[kind], CPU).network for _ in range(2))
    for network in (unaccelerated, fast):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter *= 1e5 if 0 < parameter.abs().max() < 1e-4 else 1
    exact = trained(unaccelerated)
    with accelerated([fast], precision, compiled):
        reduced = trained(fast)
    for value, reference in zip(reduced, exact, strict=True):
        assert value.dtype == torch.float32
        # bfloat16 rounds at the kinks of the ReLUs, and there are only eight images.
        assert difference(value, reference) < {"fp32": 1e-4, "bf16": 0.3}[precision]
    for value, reference in zip(reduced[:2], exact[:2], strict=True):
        assert difference(value, reference) < {"fp32": 1e-5, "bf16": 0.05}[precision]
    assert not torch.equal(exact[0], exact[1])


def test_compiled_passes_have_static_shapes_and_results_of_their_own(network, images, monkeypatch):
    """A compiled pass reuses the memory of its output, as a CUDA graph does."""
    options, memory = [], {}

    def compile_(forward, **how):
        options.append(how)

        def run(*inputs):
            result = forward(*inputs)
            return memory.setdefault(forward.__name__, torch.empty_like(result)).copy_(result)

        return run

    expected = passes(network, images)
    monkeypatch.setattr(torch, "compile", compile_)
    with torch.inference_mode(), accelerated([network], "fp32", compiled=True):
        first = passes(network, images)
        passes(network, -images)
    assert memory.keys() == {"logits", "predict_noise"}
    for found, exact in zip(first, expected, strict=True):
        torch.testing.assert_close(found, exact, rtol=0, atol=0)
    assert options == [{"mode": "default", "dynamic": False}] * 2


class Pair(NamedTuple):
    """A result with named parts."""

    first: torch.Tensor
    second: torch.Tensor


class Several(torch.nn.Linear):
    """Returns results of several kinds."""

    def forward(self, x):
        made = super().forward(x)
        return {"made": (made, made.argmax(dim=1)), "list": [2 * made, None, "text"], "pair": Pair(made, -made)}


def test_every_tensor_of_a_nested_result_comes_back_in_float32():
    network, x = Several(4, 3), torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    exact = network(x)["made"][0]
    with accelerated([network], "bf16", compiled=False):
        found = network(x)
    made, largest = found["made"]
    doubled, *others = found["list"]
    assert (made.dtype, doubled.dtype, largest.dtype) == (torch.float32, torch.float32, torch.int64)
    assert 1e-5 < difference(made, exact) < 0.02
    torch.testing.assert_close(doubled, 2 * made)
    assert others == [None, "text"]
    assert isinstance(found["pair"], Pair)
    assert torch.equal(found["pair"].second, -made)
    assert found["pair"].second.dtype == torch.float32


class Exact(torch.nn.Linear):
    """Lists no pass to accelerate."""

    PASSES = ()


def test_the_passes_of_a_part_are_accelerated_and_no_others():
    inner, exact = build_method(SMALL, CPU).network, Exact(1, 1)
    whole = torch.nn.Sequential(inner)
    with accelerated([whole, exact, torch.nn.ParameterList([torch.ones(1)])], "bf16", compiled=False):
        assert "forward" not in vars(exact)
        assert {"logits", "predict_noise"} == vars(inner).keys() & {"logits", "predict_noise", "forward"}
        assert "forward" not in vars(whole)
    assert not vars(inner).keys() & {"logits", "predict_noise"}


def test_second_derivatives_use_the_original_pass(network, images):
    exact = network.logits(images)
    with accelerated([network], "bf16", compiled=False):
        assert torch.equal(unaccelerated(network, "logits")(images), exact)
        assert not torch.equal(network.logits(images), exact)


def test_acceleration_ends_with_its_context(network, images):
    before, products = passes(network, images), torch.get_float32_matmul_precision()
    with pytest.raises(RuntimeError, match="in between"), accelerated([network, torch.nn.Linear(1, 1)], "bf16", False):
        raise RuntimeError("in between")
    assert torch.get_float32_matmul_precision() == products
    assert all(torch.equal(a, b) for a, b in zip(passes(network, images), before, strict=True))
    assert set(network.state_dict()) == set(build_method(SMALL, CPU).network.state_dict())


def test_the_precision_of_products_ends_with_its_context():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    for precision, expected in (("tf32", "high"), ("fp32", "highest"), ("bf16", "high")):
        with matmuls_in(precision):
            assert torch.get_float32_matmul_precision() == expected
            assert torch.backends.cudnn.allow_tf32 == (precision != "fp32")
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


@pytest.mark.parametrize("compiled", [True, False])
def test_products_in_an_accelerated_context_have_its_precision(compiled):
    for precision, expected in (("tf32", "high"), ("fp32", "highest"), ("bf16", "high")):
        with accelerated([], precision, compiled):
            assert torch.get_float32_matmul_precision() == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_equals_a_loop_over_queries(dtype):
    q, k, v = (torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(i)).to(dtype) for i in range(3))
    found = attend(q, k, v)
    assert found.dtype == dtype
    for batch in range(2):
        for head in range(3):
            for token in range(5):
                q1, k1, v1 = (x[batch, head].double() for x in (q, k, v))
                expected = torch.softmax(k1 @ q1[token] / 8**0.5, dim=0) @ v1
                tolerance = 1e-5 if dtype == torch.float32 else 0.03
                torch.testing.assert_close(found[batch, head, token].double(), expected, rtol=0, atol=tolerance)


def test_attention_written_out_equals_the_fused_one():
    q, k, v = (torch.randn(2, 3, 17, 8, generator=torch.Generator().manual_seed(i)) for i in range(3))
    written_out = attend(q.bfloat16(), k.bfloat16(), v.bfloat16())
    assert written_out.dtype == torch.bfloat16
    assert difference(written_out.float(), attend(q, k, v)) < 0.02


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize("config", [MLP_RUN, REGRESSION_RUN, TOKEN_RUN], ids=lambda config: config.network.kind)
def test_the_forward_of_an_external_module_is_accelerated(config, compiled):
    network = build_method(config, CPU).network.eval()
    inputs = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    if config is TOKEN_RUN:
        inputs = (17 * inputs).long().flatten(1)
    named = {"causal": False} if config is TOKEN_RUN else {}
    run = network.logits if config is MLP_RUN else network
    exact = run(inputs, **named)
    with accelerated([network], "bf16", compiled):
        reduced = (network.logits if config is MLP_RUN else network)(inputs, **named)
    assert reduced.dtype == torch.float32
    assert 1e-5 < difference(reduced, exact) < 0.03
    assert torch.equal(run(inputs, **named), exact)
