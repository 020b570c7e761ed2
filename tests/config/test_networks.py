"""Parameter counts: closed form, built network and published count agree exactly."""

import pytest
import torch
from foreign import PlainMLP
from torch.utils.flop_counter import FlopCounterMode

from harness.config.dataset import ArrayField, Images
from harness.config.interfaces import GENERATE, LOGITS, PREDICT_NOISE
from harness.config.networks import JEMWideResNet, ResNetGenerator, UNet, ViT, WideResNet
from harness.data.catalogue import CIFAR10, CIFAR100, DIGITS, STL10
from harness.errors import SpecError
from harness.methods.base import build_method
from harness.models import generators, unet, wide_resnet
from harness.models.vit import VisionTransformer
from harness_papers.hybvit.runs import BACKBONE, GENVIT, HYBVIT, VIT


def dataset(size, classes):
    return Images(
        name=f"images{size}",
        image_size=size,
        channels=3,
        num_classes=classes,
        train_examples=1000,
        test_examples=100,
    )


IMAGENET32 = dataset(32, 1000)
TABLE = [
    ({}, CIFAR10, 11_185_068),
    ({"dim": 192}, CIFAR10, 3_125_100),
    ({"dim": 768}, CIFAR10, 43_230_252),
    ({"depth": 6}, CIFAR10, 7_535_118),
    ({"heads": 6, "dim_head": 32, "depth": 2}, CIFAR10, 2_078_694),
    ({"heads": 5, "dim_head": 100, "depth": 1}, CIFAR10, 1_630_044),
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
    assert BACKBONE.flops(CIFAR10, PREDICT_NOISE) == pytest.approx(1.443e9, rel=2e-3)
    relative = {dim: BACKBONE.but(dim=dim).flops(CIFAR10, LOGITS) for dim in (192, 384, 768)}
    assert relative[192] / relative[384] == pytest.approx(0.26, abs=0.005)
    assert relative[768] / relative[384] == pytest.approx(3.91, abs=0.02)


BUILDERS = {
    WideResNet: wide_resnet.WideResNet,
    JEMWideResNet: wide_resnet.JEMWideResNet,
    UNet: unet.UNet,
    ResNetGenerator: generators.ResNetGenerator,
    ViT: VisionTransformer,
}
SMALL_UNET = UNet(base_channels=16, multipliers=(1, 2), blocks=1, attention=(4,), groups=8)
CONVOLUTIONAL = [
    (WideResNet(), CIFAR10, 36_479_194, "36.5"),
    (WideResNet(), CIFAR100, 36_536_884, "36.5"),
    (WideResNet(depth=16, widen_factor=8), CIFAR10, 10_961_370, "11.0"),
    (WideResNet(depth=10, widen_factor=1), DIGITS, 77_562, "0.1"),
    (JEMWideResNet(), CIFAR10, 36_471_338, "36.5"),
    (JEMWideResNet(norm="batch"), CIFAR10, 36_489_290, "36.5"),
    (JEMWideResNet(depth=16, widen_factor=2, norm="batch"), STL10, 692_810, "0.7"),
    (UNet(), CIFAR10, 35_746_307, "35.7"),
    (UNet(attention=()), CIFAR10, 34_427_907, "34.4"),
    (SMALL_UNET, DIGITS, 176_849, "0.2"),
    (UNet(base_channels=24, multipliers=(2, 1, 3), attention=(8, 2), groups=4), DIGITS, None, ""),
    (ResNetGenerator(), CIFAR10, 4_079_363, "4.1"),
    (ResNetGenerator(features=16, doublings=1), DIGITS, None, ""),
    (ViT(dim=48, depth=2, heads=4, patch_size=4), CIFAR10, 194_550, "0.2"),
]


@pytest.mark.parametrize(("config", "data", "expected", "printed"), CONVOLUTIONAL)
def test_closed_forms_count_what_is_built_and_what_it_computes(config, data, expected, printed):
    with torch.device("meta"):
        network = BUILDERS[type(config)](config, data).eval()
        if isinstance(config, ViT):
            network.train()  # evaluation skips the tokens that a classification does not read
        images = torch.zeros(1, data.channels, data.image_size, data.image_size)
        timesteps = torch.zeros(1, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter:
            if LOGITS in config.passes:
                name = LOGITS
                assert network.logits(images).shape == (1, data.num_classes)
            elif PREDICT_NOISE in config.passes:
                name = PREDICT_NOISE
                assert network.predict_noise(images, timesteps).shape == images.shape
            else:
                name = GENERATE
                assert network.generate(torch.zeros(1, config.noise_dim)).shape == images.shape
    built = sum(parameter.numel() for parameter in network.parameters())
    assert config.parameters(data) == built == (expected or built)
    assert not printed or f"{built / 1e6:.1f}" == printed
    assert config.flops(data, name) == counter.get_total_flops()


def test_a_pass_takes_an_example_and_a_timestep_or_noise():
    image, timestep = ArrayField(shape=(3, 32, 32), dtype="uint8", below=256), ArrayField(dtype="int64")
    assert BACKBONE.arguments(CIFAR10, LOGITS) == WideResNet().arguments(CIFAR10, LOGITS) == (image,)
    assert BACKBONE.arguments(CIFAR10, PREDICT_NOISE) == UNet().arguments(CIFAR10, PREDICT_NOISE) == (image, timestep)
    assert ResNetGenerator(noise_dim=7).arguments(CIFAR10, GENERATE) == (ArrayField(shape=(7,), dtype="float32"),)


def test_a_network_without_a_closed_form_is_counted():
    mlp = PlainMLP(hidden=12)
    assert mlp.parameters(DIGITS) == (64 + 1) * 12 + (12 + 1) * 10
    assert mlp.flops(DIGITS, LOGITS) == 2 * (64 * 12 + 12 * 10)


def test_vera_counts_its_classifier_and_its_generator():
    """Table 8 prints 40 M, truncated."""
    assert JEMWideResNet().parameters(CIFAR10) + ResNetGenerator().parameters(CIFAR10) == 40_550_701


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: WideResNet(depth=27), ["depth=27", "10, 16, 22, 28"]),
        (lambda: UNet(groups=48), ["groups=48", "base_channels=128"]),
        (lambda: GENVIT.but(data=dataset(20, 10), network=UNet()), ["20-pixel", "multipliers=(1, 2, 2, 2)"]),
        (lambda: GENVIT.but(network=UNet(attention=(12,))), ["attention=12", "32, 16, 8, 4"]),
        (lambda: VIT.but(network=ResNetGenerator(doublings=6)), ["doublings=6", "32-pixel"]),
        (lambda: GENVIT.but(network=WideResNet()), ["'wide_resnet' has no predict_noise", "'denoising'", "unet, vit"]),
        (lambda: VIT.but(network=UNet()), ["'unet' has no logits", "jem_wide_resnet", "vit, wide_resnet"]),
        (lambda: HYBVIT.but(network=UNet()), ["no logits", "allowed: vit"]),
    ],
)
def test_a_network_that_does_not_fit_is_refused_on_one_line(make, parts):
    with pytest.raises(SpecError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(("config", "like"), [(WideResNet(depth=10, widen_factor=1), VIT), (SMALL_UNET, GENVIT)])
def test_the_networks_of_methods_are_built_from_the_configuration(config, like):
    run = like.but(data=DIGITS, network=config)
    network = build_method(run.config, torch.device("cpu")).network
    assert isinstance(network, BUILDERS[type(config)])
    assert sum(parameter.numel() for parameter in network.parameters()) == run.parameters
