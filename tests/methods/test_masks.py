"""The dropout masks of a training step: each pass has its own, a function of the step and the row."""

import pytest
import torch
from labelled import split_of, train_batch_of
from linear_networks import TINY, Squares, tiny

from harness.config import energy_methods, methods
from harness.config.networks import ResNetGenerator
from harness.config.resolve import resolve
from harness.data.loaders import ResidentLoader
from harness.methods.base import Step
from harness.models.dropout import Dropout
from harness.randomness import Stream

ALL = torch.arange(6)
SMALL = {"buffer_size": 10, "sampling_steps": 1}
PASSES = {
    "classification": (methods.Classification(), 1),
    "denoising": (methods.Denoising(), 1),
    "hybrid": (methods.Hybrid(alpha=1.0), 2),
    "jem": (energy_methods.JEM(**SMALL), 3),  # observed, sampled, labelled
    "jem++": (energy_methods.JEMPlusPlus(**SMALL), 4),  # and the chain, in training
    "igebm": (energy_methods.IGEBM(**SMALL), 2),
    "vera": (energy_methods.VERA(generator=ResNetGenerator(features=2, noise_dim=2, doublings=1)), 3),
}
"""Methods, and how many of a step's passes have masks of their own."""


class Dropping(Squares):
    """Drops inputs and notes the seeds of its masks, in training only."""

    def __init__(self):
        super().__init__()
        self.dropout = Dropout(0.5)
        self.seen = []

    def dropped(self, x):
        if self.training:
            self.seen.append(tuple(self.dropout.counters.tolist()))
        return self.dropout(x)

    def logits_from(self, features):
        return super().logits_from(self.dropped(features))

    def predict_noise(self, noisy, timesteps):
        return self.weight.sum() * self.dropped(noisy)


def masks(kind, number, rows):
    """Return the seeds of the masks of one step, as a set."""
    config, _ = PASSES[kind]
    method = tiny(resolve(config.implementation), config, Dropping)
    stored = torch.arange(36, dtype=torch.uint8).reshape(9, 2, 2, 1).numpy()
    method.prepare(ResidentLoader(split_of(stored, torch.arange(9).numpy() % 3, TINY), torch.device("cpu")))
    images = torch.rand(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))[rows]
    batches = {name: train_batch_of(images, rows % 3, rows) for name in method.augmentations()}
    list(method.train().training_step(Step(batches, Stream("run", number), 6)))
    return set(method.network.seen)


@pytest.mark.parametrize("kind", PASSES)
def test_every_pass_of_a_step_has_masks_of_its_own(kind):
    seeds = masks(kind, 1, ALL)
    assert len(seeds) == PASSES[kind][1]
    assert len({seed for mask in seeds for seed in mask}) == 6 * len(seeds)
    assert not seeds & masks(kind, 2, ALL)


@pytest.mark.parametrize("kind", PASSES)
def test_the_masks_of_a_row_are_the_same_on_any_rank(kind):
    whole, part = masks(kind, 1, ALL), masks(kind, 1, torch.tensor([4, 1]))
    assert {(mask[4], mask[1]) for mask in whole} == part
