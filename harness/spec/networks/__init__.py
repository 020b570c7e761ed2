"""Network configurations, with their parameter counts and costs in closed form."""

from harness.spec.networks.base import AnyNetwork, Network
from harness.spec.networks.generators import ResNetGenerator
from harness.spec.networks.unet import UNet
from harness.spec.networks.vit import ViT
from harness.spec.networks.wide_resnet import JEMWideResNet, WideResNet

__all__ = ["AnyNetwork", "JEMWideResNet", "Network", "ResNetGenerator", "UNet", "ViT", "WideResNet"]
