"""A naive training step, the baseline of `training.py`: Pillow image by image, eager, float32, no fused optimiser.

It computes the same losses with the same network.
"""

import copy
import math
import random

import numpy as np
import pillow_pipeline
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn

from harness.config.methods import Hybrid
from harness.config.run import RunConfig
from harness.data.augment.policies import POLICIES, SIGNED
from harness.diffusion.gaussian import GaussianDiffusion
from harness.models.base import ImageNetwork


class PlainTraining:
    """HybViT's training loop on one device, with all parts of the paper's training step."""

    def __init__(self, config: RunConfig, network: ImageNetwork, images: NDArray[np.uint8], device: torch.device):
        assert isinstance(config.method, Hybrid)
        self.config, self.method, self.device = config, config.method, device
        self.network = network.train()
        self.average = copy.deepcopy(network)
        self.diffusion = GaussianDiffusion(config.method.process, config.data).to(device)
        decay = config.training.value_of("weight_decay")
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=1e-3, weight_decay=decay, foreach=False, fused=False
        )
        self.images = images.transpose(0, 2, 3, 1)
        self.labels = np.arange(len(images)) % config.data.num_classes

    def step(self) -> None:
        """Take one training step on two random batches."""
        batch_size = self.config.training.batch_size
        labelled, clean = (np.random.permutation(len(self.images))[:batch_size] for _ in range(2))
        pictures = self._pictures(labelled)
        labels = torch.from_numpy(self.labels[labelled]).to(self.device)
        x0 = torch.from_numpy(self.images[clean].transpose(0, 3, 1, 2) / np.float32(127.5) - 1).to(self.device)
        loss = self._cross_entropy(pictures, labels) + self.method.alpha * self._denoising(x0)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.training.clip_norm, foreach=False)
        decay = self.config.training.ema_decay
        with torch.no_grad():
            for average, weight in zip(self.average.parameters(), self.network.parameters(), strict=True):
                average.mul_(decay).add_(weight, alpha=1 - decay)
        self.optimizer.step()

    def _pictures(self, chosen: NDArray[np.int64]) -> Tensor:
        """Return augmented images, before mixing."""
        return torch.stack([self._augmented(Image.fromarray(self.images[i])) for i in chosen]).to(self.device)

    def _cross_entropy(self, pictures: Tensor, labels: Tensor) -> Tensor:
        share, partner = 1.0, torch.randperm(len(labels), device=self.device)
        if random.random() < self.method.augmentation.mix:
            share = random.random()
            if random.random() < 0.5:
                pictures = share * pictures + (1 - share) * pictures[partner]
            else:
                size = pictures.shape[-1]
                half = int(size * math.sqrt(1 - share)) // 2
                y, x = random.randrange(size), random.randrange(size)
                box = (..., slice(max(y - half, 0), y + half), slice(max(x - half, 0), x + half))
                pictures[box] = pictures[partner][box]
        logits, smoothing = self.network.logits(pictures), self.method.label_smoothing
        own, other = (F.cross_entropy(logits, y, label_smoothing=smoothing) for y in (labels, labels[partner]))
        return share * own + (1 - share) * other

    def _denoising(self, x0: Tensor) -> Tensor:
        timesteps = torch.randint(0, self.diffusion.timesteps, (len(x0),), device=self.device)
        return self.diffusion.simple_loss(self.network.predict_noise, x0, timesteps, torch.randn_like(x0))

    def _augmented(self, picture: Image.Image) -> Tensor:
        """Flip, crop, apply a sub-policy to, and erase one image."""
        augmentation = self.method.augmentation
        if random.random() < 0.5:
            picture = ImageOps.mirror(picture)
        size, padding = picture.width, augmentation.crop_padding
        left, top = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
        picture = ImageOps.expand(picture, padding).crop((left, top, left + size, top + size))
        steps = []
        for step in random.choice(POLICIES[augmentation.policy]):
            if random.random() < step.probability:
                sign = -1 if step.operation in SIGNED and random.random() < 0.5 else 1
                steps.append((step.operation, sign * step.magnitude))
        levels = pillow_pipeline.apply(np.asarray(picture).transpose(2, 0, 1), steps)
        pixels = torch.from_numpy(levels / np.float32(127.5) - 1)
        if random.random() < augmentation.erasing:
            area, aspect = random.uniform(0.02, 0.4) * size**2, random.uniform(0.3, 1 / 0.3)
            height, width = (min(round(math.sqrt(side)), size - 1) for side in (area * aspect, area / aspect))
            y, x = random.randrange(size - height + 1), random.randrange(size - width + 1)
            pixels[:, y : y + height, x : x + width] = 0.5
        return pixels
