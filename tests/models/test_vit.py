"""The ViT against a slow second implementation: loops instead of tensors, softmax instead of fused attention."""

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from harness.config.dataset import Images
from harness.config.networks import ViT
from harness.data.catalogue import DIGITS
from harness.models.vit import VisionTransformer

COLOUR = Images(name="c", image_size=12, channels=3, num_classes=7, train_examples=10, test_examples=10)


def build(data=COLOUR, **changes):
    config = ViT(**({"dim": 16, "depth": 2, "heads": 4, "patch_size": 4} | changes))
    network = VisionTransformer(config, data).double()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    return network


def images(n=3, data=COLOUR, seed=1):
    shape = (n, data.channels, data.image_size, data.image_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def patches_of(image, p):
    size = image.shape[-1]
    return torch.stack(
        [
            torch.stack([image[c, y + i, x + j] for i in range(p) for j in range(p) for c in range(len(image))])
            for y in range(0, size, p)
            for x in range(0, size, p)
        ]
    )


def layer_norm(h, norm):
    mean, variance = h.mean(-1, keepdim=True), h.var(-1, unbiased=False, keepdim=True)
    return (h - mean) / torch.sqrt(variance + 1e-5) * norm.weight + norm.bias


def attention(h, module):
    q, k, v = (h @ module.qkv.weight.T).chunk(3, dim=-1)
    width = q.shape[-1] // module.heads
    outputs = []
    for head in range(module.heads):
        part = slice(head * width, (head + 1) * width)
        weights = torch.softmax(q[:, part] @ k[:, part].T / math.sqrt(width), dim=-1)
        outputs.append(weights @ v[:, part])
    return torch.cat(outputs, dim=-1) @ module.projection.weight.T + module.projection.bias


def gelu(x):
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def linear(x, module):
    return x @ module.weight.T + module.bias


def reference(network, image, t=None, modulate_residual=True, modulate_mlp=True):
    """Return the last layer's tokens of one image."""
    h = torch.cat([network.cls_token[0], linear(patches_of(image, network.patch_size), network.patch_embedding)])
    h = h + network.position_embedding[0]
    if t is not None:
        half = h.shape[-1] // 2
        angles = torch.tensor([t * math.exp(-math.log(10_000) * i / (half - 1)) for i in range(half)]).double()
        first, _, second = network.timestep_embedding.mlp
        a = linear(gelu(linear(torch.cat([angles.sin(), angles.cos()]), first)), second)
    for block in network.blocks:
        scale, shift = torch.zeros(len(h), 1).double(), torch.zeros(len(h), 1).double()
        if t is not None:
            both = linear(a * torch.sigmoid(a), block.modulation.projection)
            scale, shift = both[: len(h), None], both[len(h) :, None]
        modulated = h * (scale + 1) + shift
        skip = modulated if modulate_residual else h
        h = attention(layer_norm(modulated, block.norm_attention), block.attention) + skip
        modulated = h * (scale + 1) + shift if modulate_mlp else h
        skip = modulated if modulate_residual else h
        hidden = gelu(linear(layer_norm(modulated, block.norm_mlp), block.mlp[0]))
        h = linear(hidden, block.mlp[2]) + skip
    return h


def test_logits_equal_the_written_out_network():
    network, x = build(), images()
    for image, logits in zip(x, network.logits(x), strict=True):
        cls_token = layer_norm(reference(network, image)[0], network.class_norm)
        torch.testing.assert_close(logits, linear(cls_token, network.class_head), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("depth", [1, 3])
def test_outside_of_training_the_unread_tokens_are_skipped_without_a_difference(depth):
    """In the last layer, five products of the width squared leave out the nine patches of each image."""
    network, counts, gradients = build(depth=depth).float(), [], []
    for training in (True, False):
        x = images(4).float().requires_grad_()
        with FlopCounterMode(display=False) as counter:
            logits = network.train(training).logits(x)
        counts.append(counter.get_total_flops())
        gradients.append((logits, *torch.autograd.grad(logits.square().sum(), x)))
    assert counts[0] - counts[1] == 2 * 5 * 16**2 * 4 * 9
    for all_tokens, read in zip(*gradients, strict=True):
        torch.testing.assert_close(read, all_tokens, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("modulate_residual", [True, False])
@pytest.mark.parametrize("modulate_mlp", [True, False])
def test_predicted_noise_equals_the_written_out_network(modulate_residual, modulate_mlp):
    network = build(modulate_residual=modulate_residual, modulate_mlp=modulate_mlp)
    x, timesteps = images(), torch.tensor([0, 3, 999])
    predicted = network.predict_noise(x, timesteps)
    assert predicted.shape == x.shape
    for image, t, noise in zip(x, timesteps.tolist(), predicted, strict=True):
        tokens = reference(network, image, t, modulate_residual, modulate_mlp)[1:]
        expected = linear(tokens, network.noise_head)
        torch.testing.assert_close(patches_of(noise, 4), expected, rtol=1e-3, atol=2e-4)


def test_the_switches_change_the_network():
    x, t = images(), torch.tensor([5, 5, 5])
    outputs = [
        build(modulate_residual=r, modulate_mlp=m).predict_noise(x, t) for r in (True, False) for m in (True, False)
    ]
    for i, a in enumerate(outputs):
        for b in outputs[i + 1 :]:
            assert not torch.allclose(a, b)


def test_heads_that_do_not_divide_the_width_take_an_explicit_width():
    network = build(heads=3, dim_head=5)
    assert network.blocks[0].attention.qkv.weight.shape == (45, 16)
    assert network.logits(images()).shape == (3, 7)


def test_classification_never_reaches_the_time_layers_nor_the_noise_head():
    network = build()
    network.logits(images()).sum().backward()
    untouched = {name for name, p in network.named_parameters() if p.grad is None}
    assert untouched == {
        name
        for name, _ in network.named_parameters()
        if name.startswith(("timestep_embedding", "noise_head")) or "modulation" in name
    }


def test_initial_weights_follow_the_authors():
    network = VisionTransformer(ViT(dim=384, depth=1, heads=12, patch_size=2), DIGITS)
    network.initialise(torch.Generator().manual_seed(0))
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            expected = math.sqrt(2 / sum(module.weight.shape))
            assert module.weight.std().item() == pytest.approx(expected, rel=0.15)
            assert module.weight.abs().max() > 2.5 * expected, "normal, not uniform"
            assert module.bias is None or module.bias.abs().max() == 0
    assert network.position_embedding.std().item() == pytest.approx(1, rel=0.05)
    assert network.cls_token.std().item() == pytest.approx(1, rel=0.15)
    for each in (network.position_embedding, network.cls_token):
        assert each.abs().max() > 2.5
        assert each.mean().item() == pytest.approx(0, abs=0.15)


def test_initial_weights_are_a_function_of_the_generator():
    first, second = (VisionTransformer(ViT(dim=8, depth=1, heads=2, patch_size=4), DIGITS) for _ in range(2))
    for network in (first, second):
        network.initialise(torch.Generator().manual_seed(7))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
