"""Wide ResNets against a second implementation as functions of a dictionary of weights."""

import math

import pytest
import torch
import torch.nn.functional as F

from harness.config import networks as spec
from harness.config.dataset import Images
from harness.data.catalogue import CIFAR10
from harness.models.dropout import seed_dropout
from harness.models.wide_resnet import JEMWideResNet, WideResNet
from harness.randomness import Stream

COLOUR = Images(name="c", image_size=12, channels=3, num_classes=7, train_examples=10, test_examples=10)
ORIGINAL = spec.WideResNet(depth=16, widen_factor=2)
FORMS = {
    "none": spec.JEMWideResNet(depth=16, widen_factor=2),
    "batch": spec.JEMWideResNet(depth=16, widen_factor=2, norm="batch", leak=0.1, dropout=0.3),
}


def build(kind, config):
    """Return a network with random weights and statistics instead of the initial ones."""
    network = kind(config, COLOUR).double()
    generator = torch.Generator().manual_seed(0)
    network.initialise(generator)
    for name, value in network.state_dict().items():
        if "norm" in name:
            value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    return network


def images(n=4, seed=1):
    return torch.randn(n, 3, 12, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normalise(x, weights, name, training):
    if f"{name}.weight" not in weights:
        return x
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    if training:
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    normal = (x - mean.view(-1, 1, 1)) / torch.sqrt(variance.view(-1, 1, 1) + 1e-5)
    return normal * weights[f"{name}.weight"].view(-1, 1, 1) + weights[f"{name}.bias"].view(-1, 1, 1)


def convolve(x, weights, name, stride=1):
    weight = weights[f"{name}.weight"]
    return F.conv2d(x, weight, weights.get(f"{name}.bias"), stride, padding=weight.shape[-1] // 2)


def second_account(x, weights, training, leak=None, dropouts=()):
    """Original (no `leak`): ReLU, project activations, stride first; JEM: leaky ReLU, project inputs, stride last.

    `dropouts` follow the first convolution of each block.
    """

    def activate(h, name):
        h = normalise(h, weights, name, training)
        return torch.clamp(h, min=0) if leak is None else torch.where(h > 0, h, leak * h)

    x = convolve(x, weights, "stem")
    for number in range(6):
        name, stride = f"blocks.{number}", 2 if number in (2, 4) else 1
        first, second = (stride, 1) if leak is None else (1, stride)
        active = activate(x, f"{name}.norm1")
        skip = x
        if f"{name}.projection.weight" in weights:
            skip = convolve(active if leak is None else x, weights, f"{name}.projection", stride)
        h = convolve(active, weights, f"{name}.conv1", first)
        h = activate(dropouts[number](h) if dropouts else h, f"{name}.norm2")
        x = skip + convolve(h, weights, f"{name}.conv2", second)
    pooled = activate(x, "norm").flatten(2).sum(-1) / 9
    return pooled @ weights["class_head.weight"].T + weights["class_head.bias"]


@pytest.mark.parametrize("training", [True, False])
def test_logits_of_the_original_equal_the_second_account(training):
    network, x = build(WideResNet, ORIGINAL).train(training), images()
    expected = second_account(x, {name: value.clone() for name, value in network.state_dict().items()}, training)
    torch.testing.assert_close(network.logits(x), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("training", [True, False])
def test_logits_of_the_form_of_jem_equal_the_second_account(form, training):
    network, x = build(JEMWideResNet, FORMS[form]).train(training), images()
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    seed_dropout(network, Stream("dropout"), torch.arange(4))
    dropouts = [block.dropout for block in network.blocks]
    assert {layer.probability for layer in dropouts} == {FORMS[form].dropout}
    expected = second_account(x, weights, training, FORMS[form].leak, dropouts)
    torch.testing.assert_close(network.logits(x), expected, rtol=1e-9, atol=1e-9)


def test_the_first_layer_and_the_rest_make_the_whole():
    network, x = build(JEMWideResNet, FORMS["batch"]).eval(), images()
    features = network.features(x)
    assert features.shape == (4, 16, 12, 12)
    assert torch.equal(network.logits_from(features), network.logits(x))


@pytest.mark.parametrize(("kind", "config"), [(WideResNet, ORIGINAL), (JEMWideResNet, FORMS["none"])])
def test_gradients_reach_every_parameter_and_the_images(kind, config):
    network, x = build(kind, config).train(), images().requires_grad_()
    network.logits(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())
    assert x.grad.abs().min() > 0


def test_an_image_is_classified_alone_as_among_others():
    """In evaluation; in training the batch statistics matter."""
    network, x = build(WideResNet, ORIGINAL), images()
    assert not torch.allclose(network.train().logits(x[:2]), network.logits(x)[:2])
    torch.testing.assert_close(network.eval().logits(x[:2]), network.logits(x)[:2], rtol=1e-12, atol=1e-12)


def test_initial_weights_follow_the_original_code():
    network = WideResNet(spec.WideResNet(depth=10, widen_factor=4), CIFAR10)
    network.initialise(torch.Generator().manual_seed(0))
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            fan_out = module.out_channels * module.kernel_size[0] ** 2
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / fan_out), rel=0.15)
            assert module.weight.abs().max() > 2.5 * math.sqrt(2 / fan_out), "normal, not uniform"
    assert network.class_head.weight.abs().max().item() == pytest.approx(1 / 16, rel=0.02)
    assert network.class_head.bias.abs().max() == 0


def test_initial_weights_of_jem_are_torchs():
    network = JEMWideResNet(spec.JEMWideResNet(depth=10, widen_factor=4), CIFAR10)
    network.initialise(torch.Generator().manual_seed(0))
    conv = network.blocks[1].conv1
    for value in (conv.weight, conv.bias, network.class_head.weight):
        bound = 1 / math.sqrt(64 * 9 if value is not network.class_head.weight else 256)
        assert bound * (0.98 if value.ndim > 1 else 0.9) < value.abs().max().item() <= bound
        assert value.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.2)


@pytest.mark.parametrize(("kind", "config"), [(WideResNet, ORIGINAL), (JEMWideResNet, FORMS["batch"])])
def test_initial_weights_are_a_function_of_the_generator(kind, config):
    first, second = (kind(config, COLOUR) for _ in range(2))
    for network in (first, second):
        network.initialise(torch.Generator().manual_seed(7))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_jems_statistics_are_those_of_the_last_batches_and_hardly_of_earlier_ones():
    """Of JEM++ a batch has the weight 0.9, of the original network torch's 0.1."""
    for kind, config, weight in ((JEMWideResNet, FORMS["batch"].but(dropout=0), 0.9), (WideResNet, ORIGINAL, 0.1)):
        network = build(kind, config).train()
        before = network.blocks[0].norm1.running_mean.clone()
        network.logits(images())
        mean = network.stem(images()).mean((0, 2, 3))
        torch.testing.assert_close(network.blocks[0].norm1.running_mean, (1 - weight) * before + weight * mean)
