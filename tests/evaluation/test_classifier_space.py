"""The feature space of a small classifier: its batches are a function of the step alone."""

import torch

from harness.data.augment.augment import crop
from harness.data.loaders import ResidentLoader, ShuffledOrder
from harness.evaluation.features.classifier import BATCH_SIZE, cropped_batches
from harness.randomness import Stream
from harness.training.batches import PREFETCH_STEPS

STREAM = Stream("features", 1)


def test_batches_cropped_together_are_those_cropped_one_by_one(digits):
    train = ResidentLoader(digits.split("train"), torch.device("cpu"))
    order, rows = ShuffledOrder(STREAM.at("order"), len(train), BATCH_SIZE), torch.arange(BATCH_SIZE)
    steps = 2 * PREFETCH_STEPS + 7  # beyond one pass over the split, and not a multiple of the steps made together
    made = list(cropped_batches(train, STREAM, steps))
    assert len(made) == steps
    for step, (images, labels) in enumerate(made):
        batch = train.batch(order.indices(step))
        assert torch.equal(images, crop(batch.images, rows, STREAM.at("crop", step), padding=1)), step
        assert torch.equal(labels, batch.labels), step
