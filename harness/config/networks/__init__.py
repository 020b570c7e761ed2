"""Network configurations, with their parameter counts and costs in closed form."""

from harness.config.networks.base import AnyNetwork, Network
from harness.config.networks.generators import ResNetGenerator
from harness.config.networks.unet import UNet
from harness.config.networks.vit import ViT
from harness.config.networks.wide_resnet import JEMWideResNet, WideResNet

__all__ = ["AnyNetwork", "JEMWideResNet", "Network", "ResNetGenerator", "UNet", "ViT", "WideResNet"]
