"""Steps of energy-based training on both sides, from the same weights and with the same draws.

Changes since the start are compared, not weights: a wrong learning rate hardly shows in the weights themselves.
"""

import ast
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from harness.config.augmentation import Augmentation
from harness.config.dataset import Images
from harness.config.run import RunConfig
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import Split
from harness.methods.base import Step
from harness.methods.energy import EnergyModel
from harness.training.loop import Trainer
from tools.parity.baselines import Pair, leaves
from tools.parity.official import Checkout
from tools.parity.table import Row, compare

CPU = torch.device("cpu")
EPOCH, BATCH = 5, 4
"""Iterations per epoch, images per batch; both sides train for two epochs, with a decay after the first."""
DATA = Images(name="parity", image_size=32, channels=3, num_classes=3, train_examples=20, test_examples=1)
SMALL: dict[str, Any] = {
    "data": DATA, "depth": 10, "widen_factor": 1, "augmentation": Augmentation(), "batch_size": BATCH, "epochs": 2,
    "milestones": (1.0,), "warmup_iterations": 3,
}  # fmt: skip
STATISTICS = {"running_mean": 0.0, "running_var": 1.0}
TOLERANCE = 1e-6
"""Adam moves a bias before BatchNorm by the sign of a rounding error, up to 1e-7 of the largest change."""


class Epochs:
    """Batches of several epochs, one epoch per iteration over them."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]]) -> None:
        self._batches = iter(batches)

    def __len__(self) -> int:
        return EPOCH

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (next(self._batches) for _ in range(EPOCH))


def loader_of(data: Images) -> ResidentLoader:
    """Return a loader of random images with labels in turn."""
    shape = (data.train_examples, data.channels, data.image_size, data.image_size)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    labels = np.arange(data.train_examples) % data.num_classes
    return ResidentLoader(Split(data, {"images": pixels, "labels": labels}), CPU)


def trained(trainer: Trainer) -> list[Step]:
    """Train for two epochs and return the inputs of each step."""
    steps, training_step = list[Step](), trainer.method.training_step

    def watched(step: Step) -> Any:
        steps.append(step)
        return training_step(step)

    with patch.object(trainer.method, "training_step", watched):
        for _ in range(2 * EPOCH):
            trainer.train_step()
    return steps


def batches(method: EnergyModel, name: str, steps: list[Step]) -> list[tuple[Tensor, Tensor]]:
    """Return the noised images and the labels of each step."""
    noised = [method.noised(name, step) for step in steps]
    return [(batch.images.clone(), batch.labels) for batch in noised]


def arguments_of(checkout: Checkout, path: str, config: RunConfig, settings: dict[str, Any]) -> Namespace:
    """Return the defaults of a script with the training settings of our configuration, and further settings."""
    training = config.training
    return Namespace(**defaults(checkout, path) | {
        "batch_size": BATCH, "n_epochs": training.epochs, "decay_epochs": training.value_of("milestones"),
        "decay_rate": training.value_of("decay"), "warmup_iters": training.value_of("warmup_iterations"),
        "dataset": "cifar10",
    } | settings)  # fmt: skip


def defaults(checkout: Checkout, path: str) -> dict[str, Any]:
    """Return the defaults of a script's command line; options without a literal default are None or missing."""
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse((checkout.root / path).read_text())):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[*_, ast.Constant(value=str(option))]):
                given = {str(each.arg): ast.unparse(each.value) for each in node.keywords}
                switch = "store_true" in given.get("action", "")
                with suppress(ValueError):
                    name = option.lstrip("-").replace("-", "_")
                    found[name] = ast.literal_eval(given.get("default", "False" if switch else "None"))
    return found


def paired(ours: nn.Module, theirs: nn.Module) -> list[Pair]:
    """Pair the modules with weights in definition order."""
    return [(own, [other]) for own, other in zip(leaves(ours), leaves(theirs), strict=True)]


def changes(what: str, triples: list[tuple[Tensor, Tensor, Tensor]]) -> Row:
    """Compare changes in float64, relative to the largest one; a triple has our value, theirs, and their start."""
    ours, theirs = (torch.cat([(each[side].detach() - each[2]).flatten() for each in triples]) for side in (0, 1))
    return compare(what, "float64", ours, theirs, TOLERANCE)


def starts(pairs: list[Pair]) -> list[Tensor]:
    """Return copies of the weights of the first module of each pair."""
    return [weights.detach().clone() for own, _ in pairs for weights in own.parameters(recurse=False)]


def moved(pairs: list[Pair], before: list[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return our weights, theirs, and the common start."""
    both = [
        (mine, other)
        for own, (theirs,) in pairs
        for mine, other in zip(own.parameters(recurse=False), theirs.parameters(recurse=False), strict=True)
    ]
    return [(mine, other, start) for (mine, other), start in zip(both, before, strict=True)]


def running(pairs: list[Pair], start: dict[str, float]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return our running statistics, theirs, and their start."""
    return [
        (getattr(own, name), getattr(theirs, name), torch.full_like(getattr(own, name), value))
        for own, (theirs,) in pairs
        for name, value in start.items()
        if hasattr(own, name)
    ]
