"""VERA's generator: output range, shape, and gradients."""

import math

import pytest
import torch
import torch.nn.functional as F

from harness.config import networks as spec
from harness.data.catalogue import CIFAR10, DIGITS
from harness.models.generators import ResNetGenerator

CONFIG = spec.ResNetGenerator(features=8, noise_dim=16)


def build(data=CIFAR10):
    network = ResNetGenerator(CONFIG, data)
    network.initialise(torch.Generator().manual_seed(0))
    return network


def noise(n=6):
    return torch.randn(n, 16, generator=torch.Generator().manual_seed(1))


def normalise(x, module):
    return F.batch_norm(x, None, None, module.weight, module.bias, training=True)


def second_account(network, z):
    h = (z @ network.stem.weight.T + network.stem.bias).reshape(-1, 8, 4, 4)
    for block in network.blocks:
        large = normalise(h, block.norm1).clamp(min=0).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        inner = normalise(F.conv2d(large, block.conv1.weight, block.conv1.bias, padding=1), block.norm2).clamp(min=0)
        h = h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        h = h + F.conv2d(inner, block.conv2.weight, block.conv2.bias, padding=1)
    h = normalise(h, network.norm).clamp(min=0)
    return torch.tanh(F.conv2d(h, network.image_head.weight, network.image_head.bias, padding=1))


def test_images_equal_the_second_account():
    network = build().train().double()
    torch.testing.assert_close(network.generate(noise().double()), second_account(network, noise().double()))


@pytest.mark.parametrize("data", [CIFAR10, DIGITS])
def test_images_have_the_shape_and_the_range_of_the_data(data):
    generated = build(data).train().generate(noise())
    assert generated.shape == (6, data.channels, data.image_size, data.image_size)
    assert generated.abs().max() <= 1
    assert generated.std(dim=0).mean() > 0.01, "different noise, different image"


def test_gradients_reach_every_parameter_and_the_noise():
    network, z = build().train(), noise().requires_grad_()
    network.generate(z).pow(3).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert z.grad.abs().max() > 0


def test_initial_weights_are_xavier_uniform_with_the_gain_of_relu_in_convolutions():
    network = build()
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            assert parameter.abs().max() == 0
        elif parameter.ndim > 1:
            outputs, inputs, *kernel = parameter.shape
            bound = math.sqrt(6 / (math.prod(kernel) * (inputs + outputs))) * (math.sqrt(2) if kernel else 1)
            assert 0.95 * bound < parameter.abs().max().item() <= bound, name
            assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    again = ResNetGenerator(CONFIG, CIFAR10)
    again.initialise(torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("doublings", [1, 2])
def test_each_block_doubles_the_size(doublings):
    network = ResNetGenerator(CONFIG.but(doublings=doublings), DIGITS)
    assert network.grid == (8, 8 >> doublings, 8 >> doublings)
    assert network.generate(noise()).shape == (6, 1, 8, 8)
