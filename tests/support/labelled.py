"""Short constructors of labelled images for tests."""

import torch

from harness.config.dataset import Images
from harness.data.batches import Batch, TrainBatch
from harness.data.prepared.dataset import Split


def data_of(images, labels):
    """Return a dataset of such images, whatever its classes are."""
    _, channels, size, _ = images.shape
    classes = int(labels.max()) + 1 if len(labels) and labels.device.type != "meta" else 1
    return Images(
        name="made", image_size=size, channels=channels, num_classes=classes, train_examples=1, test_examples=1
    )


def batch_of(images, labels, indices=None):
    """Return a batch of images in [-1, 1]."""
    indices = torch.arange(len(labels)) if indices is None else indices
    return Batch(data_of(images, labels), {"images": images, "labels": labels}, indices)


def train_batch_of(images, labels, rows=None):
    """Return a batch for a training step, unmixed."""
    rows = torch.arange(len(labels)) if rows is None else rows
    return TrainBatch(data_of(images, labels), {"images": images, "labels": labels}, rows)


def split_of(images, labels, data=None):
    """Return a split of arrays."""
    return Split(data or data_of(images, torch.from_numpy(labels)), {"images": images, "labels": labels})


def arrays_of(split):
    """Return the images and the labels of a split."""
    return split["images"], split["labels"]
