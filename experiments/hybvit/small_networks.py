"""Convolutional baselines at the laptop scale: as narrow and as short in proportion as the transformers are."""

from typing import Any

from harness.spec.data import Dataset
from harness.spec.networks import UNet
from harness.spec.networks.wide_resnet import WideResidual
from harness.spec.optimisation import SGD, StepDecay
from harness.spec.run import RunConfig

EPOCHS = 12 / 500
"""What is left of the epochs, as for the transformers."""


def convolutional(config: RunConfig, data: Dataset) -> dict[str, Any]:
    """Return what changes of a run with a convolutional network on its stand-in data.

    A Wide ResNet keeps a block of three in each group, and is an eighth as wide; a U-Net keeps two levels. Milestones
    and warm-up stay where they were in the course of the training. SGD keeps its rate, which suits any width; Adam's is
    ten times as large, and the EMA shorter.
    """
    training, epochs = config.training, round(config.training.epochs * EPOCHS)
    changes: dict[str, Any] = {"epochs": epochs}
    if isinstance(config.network, WideResidual):
        changes["depth"] = 4 + 6 * ((config.network.depth - 4) // 6 // 3 or 1)
        changes["widen_factor"] = config.network.widen_factor // 8
    if isinstance(config.network, UNet):
        changes["network"] = config.network.but(
            base_channels=config.network.base_channels // 8,
            multipliers=config.network.multipliers[:2],
            blocks=config.network.blocks // 2,
            attention=tuple(size // 4 for size in config.network.attention),
            groups=config.network.groups // 4,
        )
    if isinstance(training.schedule, StepDecay):
        shortened = epochs / training.epochs
        small = training.but(batch_size=training.batch_size // 4).iterations_per_epoch(data)
        warmup = training.schedule.warmup_iterations / training.iterations_per_epoch(config.data) * shortened * small
        changes["milestones"] = tuple(epoch * shortened for epoch in training.schedule.milestones)
        changes["warmup_iterations"] = round(warmup)
    if not isinstance(training.optimizer, SGD):
        changes["learning_rate"] = training.optimizer.learning_rate * 10
    if training.ema_decay is not None:
        changes["ema_decay"] = 0.99
    return changes
