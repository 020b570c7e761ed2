"""Every field of every network takes effect: changing it changes the built module or the result of a pass."""

import pytest
import torch

from harness.config.interfaces import GENERATE, LOGITS, PREDICT_NOISE
from harness.config.networks import JEMWideResNet, Network, ResNetGenerator, UNet, ViT, WideResNet
from harness.data.catalogue import DIGITS
from harness.models.base import build_network
from harness.models.dropout import seed_dropout
from harness.randomness import Stream

CHANGES = {
    ViT(dim=12, depth=1, heads=2, patch_size=4, dim_head=6): {
        "dim": 16, "depth": 2, "heads": 3, "patch_size": 2, "dim_head": 4, "mlp_ratio": 3,
        "modulate_residual": False, "modulate_mlp": False,
    },
    WideResNet(depth=10, widen_factor=1): {"depth": 16, "widen_factor": 2},
    JEMWideResNet(depth=10, widen_factor=1): {
        "depth": 16, "widen_factor": 2, "norm": "batch", "leak": 0.1, "dropout": 0.5,
    },
    UNet(base_channels=8, multipliers=(1, 2), blocks=1, attention=(4,), groups=4): {
        "base_channels": 16, "multipliers": (1, 1), "blocks": 2, "attention": (8,), "dropout": 0.5, "groups": 2,
    },
    ResNetGenerator(features=4, noise_dim=6, doublings=2): {"features": 6, "noise_dim": 8, "doublings": 1},
}  # fmt: skip
CASES = [(config, name, value) for config, changes in CHANGES.items() for name, value in changes.items()]


def results(config):
    """Return the shapes of all weights and the results of all passes, in training."""
    network = build_network(config, DIGITS)
    draws = torch.Generator().manual_seed(0)
    for weights in network.parameters():
        weights.detach().copy_(torch.randn(weights.shape, generator=draws))
    rows = torch.arange(3)
    seed_dropout(network, Stream("dropout"), rows)
    images = torch.randn(3, DIGITS.channels, DIGITS.image_size, DIGITS.image_size, generator=draws)
    passes = {
        LOGITS: lambda: network.logits(images),
        PREDICT_NOISE: lambda: network.predict_noise(images, torch.tensor([0, 5, 900])),
        GENERATE: lambda: network.generate(torch.randn(3, config.noise_dim, generator=draws)),
    }
    shapes = [(name, weights.shape) for name, weights in network.named_parameters()]
    return shapes, [run() for name, run in passes.items() if name in config.passes]


def test_every_field_of_every_network_is_changed():
    kinds = {kind for kind in Network.kinds.values() if kind.__module__.startswith("harness.")}
    assert {type(config) for config in CHANGES} == kinds
    for config, changes in CHANGES.items():
        assert set(changes) == set(type(config).model_fields) - {"kind"}


@pytest.mark.parametrize(("config", "name", "value"), CASES, ids=lambda part: getattr(part, "kind", str(part)))
def test_a_changed_field_changes_the_network(config, name, value):
    (shapes, outputs), (again, same), (others, changed) = map(results, (config, config, config.but(**{name: value})))
    assert shapes == again
    assert all(map(torch.equal, outputs, same)), "the comparison is repeatable"
    assert shapes != others or not all(map(torch.equal, outputs, changed))
