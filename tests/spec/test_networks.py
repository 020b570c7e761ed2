"""Parameter counts: the closed form, the built network, and the published counts agree to the last parameter."""

import pytest
import torch

from experiments.hybvit.runs import BACKBONE
from harness.data.catalogue import CIFAR10
from harness.models.vit import VisionTransformer
from harness.spec.data import Dataset


def dataset(size, classes):
    return Dataset(
        name=f"images{size}",
        image_size=size,
        channels=3,
        num_classes=classes,
        train_examples=1000,
        test_examples=100,
    )


STL10, IMAGENET32 = dataset(96, 10), dataset(32, 1000)
TABLE = [
    ({}, CIFAR10, 11_185_068),
    ({"dim": 192}, CIFAR10, 3_125_100),
    ({"dim": 768}, CIFAR10, 43_230_252),
    ({"depth": 6}, CIFAR10, 7_535_118),
    ({"depth": 12}, CIFAR10, 14_835_018),
    ({"patch_size": 4}, STL10, 41_107_372),
    ({"patch_size": 6}, STL10, 17_045_352),
    ({"patch_size": 8}, STL10, 12_929_884),
    ({"patch_size": 12}, STL10, 11_480_364),
    ({"patch_size": 8, "dim": 576}, STL10, 26_430_364),
    ({"patch_size": 8, "dim": 768}, STL10, 45_239_260),
    ({}, IMAGENET32, 11_566_218),
    ({}, dataset(32, 100), 11_219_718),
    ({"patch_size": 8}, dataset(64, 200), 11_368_954),
    ({"patch_size": 8}, dataset(128, 10), 17_109_948),
    ({"patch_size": 8, "dim": 512, "dim_head": 42}, dataset(128, 1000), 25_952_538),
    ({"patch_size": 8, "dim": 512, "heads": 8}, dataset(128, 1000), 26_099_994),
    ({"patch_size": 8, "dim": 512, "dim_head": 42}, dataset(128, 10), 25_444_668),
    ({"patch_size": 14, "dim": 1024, "dim_head": 85}, dataset(224, 10), 83_777_736),
    ({"patch_size": 14, "dim": 1024, "heads": 8}, dataset(224, 10), 83_925_192),
]


@pytest.mark.parametrize(("changes", "data", "expected"), TABLE)
def test_parameters_equal_the_published_counts(changes, data, expected):
    config = BACKBONE.but(**changes)
    assert config.parameters(data) == expected
    with torch.device("meta"):
        network = VisionTransformer(config, data)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("heads", [6, 8, 16])
def test_the_number_of_heads_does_not_change_the_count(heads):
    assert BACKBONE.but(heads=heads).parameters(CIFAR10) == 11_185_068


def test_forward_cost_of_the_base_network():
    assert BACKBONE.forward_flops(CIFAR10, conditioned=True) == pytest.approx(1.443e9, rel=2e-3)
    relative = {dim: BACKBONE.but(dim=dim).forward_flops(CIFAR10, conditioned=False) for dim in (192, 384, 768)}
    assert relative[192] / relative[384] == pytest.approx(0.26, abs=0.005)
    assert relative[768] / relative[384] == pytest.approx(3.91, abs=0.02)
