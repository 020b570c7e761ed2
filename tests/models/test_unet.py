"""The U-Net against a second implementation with attention as loops over pixels and GroupNorm written out."""

import math

import pytest
import torch
import torch.nn.functional as F

from harness.config import networks as spec
from harness.config.dataset import Images
from harness.models.dropout import Dropout, seed_dropout
from harness.models.unet import UNet
from harness.randomness import Stream

COLOUR = Images(name="c", image_size=8, channels=3, num_classes=7, train_examples=10, test_examples=10)
CONFIG = spec.UNet(base_channels=8, multipliers=(1, 3, 2), blocks=2, attention=(4,), groups=4, dropout=0.2)
TIMESTEPS = torch.tensor([0, 7, 999])


def build(config=CONFIG):
    network = UNet(config, COLOUR).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    return network


def images(n=3, seed=1):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def group_norm(x, module):
    grouped = x.reshape(len(x), 4, -1)
    mean, variance = grouped.mean(-1, keepdim=True), grouped.var(-1, unbiased=False, keepdim=True)
    normal = ((grouped - mean) / torch.sqrt(variance + 1e-6)).reshape(x.shape)
    return normal * module.weight[:, None, None] + module.bias[:, None, None]


def swish(x):
    return x / (1 + torch.exp(-x))


def convolve(x, module, padding=1):
    return F.conv2d(x, module.weight, module.bias, padding=padding)


def linear(x, module):
    return x @ module.weight.flatten(1).T + module.bias


def residual(x, condition, module):
    h = convolve(swish(group_norm(x, module.norm1)), module.conv1)
    h = h + linear(swish(condition), module.timestep)[:, :, None, None]
    h = convolve(module.dropout(swish(group_norm(h, module.norm2))), module.conv2)
    return h + (convolve(x, module.shortcut, 0) if x.shape[1] != h.shape[1] else x)


def attention(x, module):
    """Attention by a loop: each pixel attends to all pixels."""
    if isinstance(module, torch.nn.Identity):
        return x
    outputs = []
    for image, normal in zip(x, group_norm(x, module.norm), strict=True):
        q, k, v = linear(normal.flatten(1).T, module.qkv).chunk(3, dim=1)
        seen = [torch.softmax(k @ query / math.sqrt(len(query)), dim=0) @ v for query in q]
        outputs.append(image + linear(torch.stack(seen), module.projection).T.reshape(image.shape))
    return torch.stack(outputs)


def layer(x, condition, module):
    return attention(residual(x, condition, module.residual), module.attention)


def second_account(network, x, timesteps):
    """Three levels by name: two layers each on the way down, three on the way up."""
    frequencies = torch.tensor([math.exp(-math.log(10_000) * i / 3) for i in range(4)]).double()
    angles = timesteps[:, None] * frequencies
    first, _, second = network.embedding
    condition = linear(swish(linear(torch.cat([angles.sin(), angles.cos()], dim=1), first)), second)
    a0 = convolve(x, network.stem)
    skipped = [a0]
    for number, level in enumerate(network.down):
        for each in level.layers:
            skipped.append(layer(skipped[-1], condition, each))
        if number < 2:
            # Stride 2: the kernel starts at every second pixel, with zeros beyond the last row and column.
            h = F.pad(skipped[-1], (0, 1, 0, 1))
            conv = level.halving.conv
            skipped.append(F.conv2d(h, conv.weight, conv.bias)[:, :, ::2, ::2])
    h = layer(layer(skipped[-1], condition, network.middle1), condition, network.middle2)
    for number in (2, 1, 0):
        level = network.up[number]
        for each in level.layers:
            h = layer(torch.cat([h, skipped.pop()], dim=1), condition, each)
        if number:
            h = convolve(h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), level.doubling.conv)
    assert not skipped
    return convolve(swish(group_norm(h, network.norm)), network.noise_head)


@pytest.mark.parametrize("training", [False, True])
def test_predicted_noise_equals_the_second_account(training):
    network, x = build().train(training), images()
    seed_dropout(network, Stream("dropout"), torch.arange(3))
    assert {module.probability for module in network.modules() if isinstance(module, Dropout)} == {0.2}
    predicted = network.predict_noise(x, TIMESTEPS)
    torch.testing.assert_close(predicted, second_account(network, x, TIMESTEPS), rtol=1e-4, atol=1e-4)
    early = torch.tensor([0, 1, 2])
    torch.testing.assert_close(network.predict_noise(x, early), second_account(network, x, early), rtol=1e-6, atol=1e-6)


def test_attention_and_timestep_matter():
    network, x = build().eval(), images()
    without = build(CONFIG.but(attention=()))
    assert sum(p.numel() for p in without.parameters()) < sum(p.numel() for p in network.parameters())
    outputs = [network.predict_noise(x, torch.full((3,), t)) for t in (0, 1, 999)]
    assert not torch.allclose(outputs[0], outputs[1])
    assert not torch.allclose(outputs[1], outputs[2])


def test_gradients_reach_every_parameter_and_the_images():
    network, x = build().train(), images().requires_grad_()
    seed_dropout(network, Stream("dropout"), torch.arange(3))
    network.predict_noise(x, TIMESTEPS).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())
    assert x.grad.abs().min() > 0


def test_it_begins_as_a_network_that_predicts_almost_nothing():
    network = UNet(CONFIG, COLOUR)
    network.initialise(torch.Generator().manual_seed(0))
    assert network.eval().predict_noise(images().float(), TIMESTEPS).abs().max() < 1e-3
    for name, parameter in network.named_parameters():
        faint = name.startswith("noise_head") or ".conv2." in name or ".projection." in name
        if name.endswith("bias") and "norm" not in name:
            assert parameter.abs().max() == 0
        elif parameter.ndim > 1:
            parts = parameter.detach().chunk(3) if ".qkv." in name else (parameter.detach(),)
            for part in parts:
                area = part[0, 0].numel()
                bound = math.sqrt(6 / (area * (len(part) + part.shape[1]))) * (1e-5 if faint else 1)
                assert 0.8 * bound < part.abs().max().item() <= bound


def test_initial_weights_are_a_function_of_the_generator():
    first, second = (UNet(CONFIG, COLOUR) for _ in range(2))
    for network in (first, second):
        network.initialise(torch.Generator().manual_seed(7))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_pass_in_reduced_precision_is_close(precision):
    network = UNet(CONFIG, COLOUR).eval()
    network.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= 1e5 if 0 < parameter.abs().max() < 1e-4 else 1
    x = images()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        reduced = network.predict_noise(x.float(), TIMESTEPS).double()
    exact = network.double().predict_noise(x, TIMESTEPS)
    difference = (reduced - exact).norm() / exact.norm()
    assert difference < (1e-5 if precision == torch.float32 else 0.03)
