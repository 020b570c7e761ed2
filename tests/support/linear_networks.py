"""Networks on 2x2 images with gradients in closed form, and small runs of methods with them."""

import torch

from harness.config.dataset import Images
from harness.models.base import ImageNetwork
from harness.randomness import Stream

TINY = Images(name="tiny", image_size=2, channels=1, num_classes=3, train_examples=9, test_examples=9)


class Linear(ImageNetwork):
    """Logits W x, whose gradients are known."""

    PASSES = ("logits",)

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(3, 4))

    def initialise(self, generator):
        torch.nn.init.normal_(self.weight, generator=generator)

    def logits(self, images):
        return images.flatten(1) @ self.weight.T


class Squares(Linear):
    """Logits W x^2, with x^2 as the first layer."""

    def features(self, images):
        return images.square()

    def logits_from(self, features):
        return super().logits(features)

    def logits(self, images):
        return self.logits_from(self.features(images))


class Affine(Linear):
    """Logits W x, and the noise predicted as 0.3 x + 0.1 t."""

    def predict_noise(self, noisy, timesteps):
        return 0.3 * noisy + 0.1 * timesteps[:, None, None, None]


class LinearGenerator(torch.nn.Module):
    """Images G z."""

    def __init__(self):
        super().__init__()
        weight = torch.randn(4, 2, generator=torch.Generator().manual_seed(8))
        self.weight = torch.nn.Parameter(weight)

    def generate(self, latents):
        return (latents @ self.weight.T).reshape(-1, 1, 2, 2)


def tiny(kind, config, network=Linear):
    """Return an untrained method on images of two by two pixels."""
    method = kind(config, network(), TINY)
    method.initialise(Stream("tiny"))
    return method
