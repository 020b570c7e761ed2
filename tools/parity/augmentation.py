"""Augmentation: mixing and its loss, erasing, and AutoAugment, with the same random draws."""

import math
import random
from argparse import Namespace
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from harness.config.augmentation import Augmentation
from harness.data.augment.augment import erase, mix, select
from harness.data.augment.image_ops import OPERATIONS
from harness.data.augment.policies import POLICIES, SIGNED
from harness.data.batches import Batch
from harness.data.catalogue import CIFAR10
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.methods.classification import cross_entropy
from harness.randomness import Stream, Streams
from tools.parity.official import LEGACY, Checkout, Overlay
from tools.parity.table import Row, compare

SIZE, BATCH = 32, 8
CPU = torch.device("cpu")


class Pixels(torch.nn.Module):
    """A linear classifier of all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(3 * SIZE**2, 10)
        torch.nn.init.normal_(self.head.weight, std=0.1, generator=torch.Generator().manual_seed(0))

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits `(batch, 10)`."""
        return self.head(images.flatten(1))


def give_draws(module: ModuleType, stream: Stream, sides: Iterator[int]) -> bool:
    """Make the authors' mixing use the draws of our stream; return whether it is CutMix."""
    coin, share, *_ = stream.uniform(torch.zeros(1), 4)[0].tolist()
    # They use CutMix for draws below 0.5, we for draws from 0.5 on.
    coins = iter([[0.0], [0.0 if coin >= 0.5 else 0.9]])
    numbers = Overlay(
        np.random, beta=lambda a, b: share, rand=lambda n: np.array(next(coins)), randint=lambda high: next(sides)
    )
    module.np = Overlay(LEGACY["numpy"], random=numbers)
    module.torch = Overlay(torch, randperm=lambda n: stream.at("partner").permutation(n))
    return coin >= 0.5


def mixing(checkout: Checkout) -> Iterator[Row]:
    """Compare images and smoothed losses of 200 mixed batches with the authors' `ce_loss`."""
    module, losses = checkout.module("utils/mix.py"), checkout.module("utils/losses.py")
    model, criterion = Pixels(), losses.LabelSmoothingCrossEntropy()
    rows = torch.arange(BATCH)
    images, labels = Stream("images").normal(rows, 3, SIZE, SIZE).clamp(-1, 1), Stream("labels").integers(rows, 10)
    batch = Batch(CIFAR10.but(image_size=SIZE), {"images": images, "labels": labels}, rows)
    arguments = Namespace(cm=True, mu=True, mix_prob=1.0, alpha=1.0, beta=1.0, device=CPU)
    seen: list[Tensor] = []

    def watched(batch: Tensor) -> Tensor:
        seen.append(batch.clone())
        return model.logits(batch)

    found: dict[bool, list[tuple[Tensor, Tensor]]] = {True: [], False: []}
    values: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for seed in range(200):
        stream = Stream(seed, "augmentation")
        centre = [int(SIZE * part) for part in stream.at("mixing").uniform(torch.zeros(1), 4)[0, 2:].tolist()]
        cut = give_draws(module, stream.at("mixing"), iter(centre))
        losses.np = module.np
        theirs, _ = losses.ce_loss(watched, images.clone(), labels, criterion, arguments)
        streams = Streams([stream])
        whole = select(Augmentation(mix=1.0), streams, len(images), range(len(images)))
        ours = mix(batch, streams, torch.tensor([True]), whole)
        loss = cross_entropy(model.logits(ours.inputs), ours, 0.1)
        found[cut].append((ours.images, seen[-1]))
        values[cut].append((loss.item(), theirs.item()))
    module.np = losses.np = LEGACY["numpy"]
    module.torch = torch
    for cut, name in ((True, "CutMix"), (False, "Mixup")):
        mine, other = map(list, zip(*found[cut], strict=True))
        yield compare(f"{name}: images of {len(mine)} batches", "float32", mine, other, 0 if cut else 1e-6)
        yield compare(f"{name}: smoothed cross-entropy", "float32", *zip(*values[cut], strict=True), 1e-5)


class ErasingDraws:
    """Our draws for one image, as the `random.uniform` and `random.randint` of the authors' erasing."""

    def __init__(self, chosen: float, tries: list[list[float]]) -> None:
        self._chosen, self._tries, self._uniforms, self._integers = chosen, tries, 0, 0

    def uniform(self, low: float, high: float) -> float:
        """Return the draw that decides whether to erase, then area and aspect of successive tries."""
        number, self._uniforms = self._uniforms, self._uniforms + 1
        unit = self._tries[(number - 1) // 2][(number - 1) % 2] if number else self._chosen
        return low + (high - low) * unit

    def randint(self, low: int, high: int) -> int:
        """Return the corner of the first try that fits."""
        unit = self._tries[(self._uniforms - 2) // 2][2 + self._integers]
        self._integers += 1
        return low + math.floor(unit * (high - low + 1))


def erasing(checkout: Checkout) -> Iterator[Row]:
    """Compare 2,000 images; sides at half a pixel may round differently in another precision."""
    module, stream, rows = checkout.module("utils/random_erasing.py"), Stream("erasing"), torch.arange(2000)
    eraser = module.RandomErasing(probability=0.25, sh=0.4, r1=0.3, mean=(0.5, 0.5, 0.5))
    images = torch.zeros(2000, 3, SIZE, SIZE)
    ours, tries = erase(images, rows, stream, 0.25), stream.uniform(rows, 100, 4)
    chosen, differing = stream.at("chosen").uniform(rows), 0
    for row in range(2000):
        module.random = Overlay(random, **_methods(ErasingDraws(chosen[row].item(), tries[row].tolist())))
        differing += not torch.equal(eraser(images[row].clone()), ours[row])
    module.random = random
    yield compare("erasing: share of 2,000 images that differ", "exact", [differing / 2000], [0.0], 2e-3)


def _methods(draws: ErasingDraws) -> dict[str, Any]:
    return {"uniform": draws.uniform, "randint": draws.randint}


def policies(checkout: Checkout) -> Iterator[Row]:
    """Compare each step of each policy: probability, magnitude, and its output on 16 images with both signs."""
    module, operations = checkout.module("utils/autoaug.py"), checkout.module("utils/transforms.py")
    levels = torch.from_numpy(read(PHOTOGRAPHS, SIZE, 1, {"train": 16})["train"][0])
    pictures = [Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy())) for image in levels]
    for name, official in (("cifar10", "CIFAR10Policy"), ("imagenet", "ImageNetPolicy"), ("svhn", "SVHNPolicy")):
        numbers: list[tuple[float, float]] = []
        images: list[tuple[Tensor, Tensor]] = []
        theirs = getattr(module, official)().policies
        for sub_policy, other in zip(POLICIES[name], theirs, strict=True):
            for number, step in enumerate(sub_policy, 1):
                operation, magnitude = getattr(other, f"operation{number}"), getattr(other, f"magnitude{number}")
                numbers += [(step.probability, getattr(other, f"p{number}")), (step.magnitude, float(magnitude))]
                for sign in (-1, 1) if step.operation in SIGNED else (1,):
                    operations.random = Overlay(random, choice=lambda options, sign=sign: sign)
                    expected = [np.array(operation(picture, magnitude)).transpose(2, 0, 1) for picture in pictures]
                    signed = torch.full((len(levels),), sign * step.magnitude, dtype=torch.float64)
                    images.append((OPERATIONS[step.operation](levels, signed), torch.from_numpy(np.stack(expected))))
        operations.random = random
        yield compare(f"AutoAugment {name}: probabilities, magnitudes", "float64", *zip(*numbers, strict=True), 1e-12)
        mine, expected_images = map(list, zip(*images, strict=True))
        yield compare(f"AutoAugment {name}: pixels of {len(mine)} steps", "exact", mine, expected_images, 0)
