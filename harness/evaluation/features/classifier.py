"""Feature space for small images: the penultimate layer of a small classifier trained on the training split.

It depends on the data only: random numbers are fixed, and the cache key is the hash of the data. The evaluated models
never train with it. Every record that uses it contains its test accuracy.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from filelock import FileLock
from numpy.typing import NDArray
from torch import Tensor

from harness.config.dataset import Images, images_of
from harness.config.feature_spaces import ClassifierSpace
from harness.data.augment.augment import crop
from harness.data.loaders import ResidentLoader, ShuffledOrder, as_inputs
from harness.errors import SpecError
from harness.evaluation.base import BLOCK, Subject
from harness.evaluation.features.base import Arrays, Report, in_blocks
from harness.models.small_cnn import SmallCNN
from harness.randomness import Stream, Streams
from harness.store.files import read_json
from harness.store.hashed import is_intact, write_hash, write_hashed
from harness.training.batches import PREFETCH_STEPS
from harness.training.checkpoints import load_tensors, save_tensors, tensors_match

log = logging.getLogger("harness.evaluation")

EPOCHS, BATCH_SIZE, LEARNING_RATE = 25, 64, 5e-3
REVISION = 1
"""Increment when the classifier or its training changes, to invalidate cached ones."""
DESCRIPTION, WEIGHTS = "description.json", "weights.safetensors"
Description = dict[str, str | float]


@dataclass(frozen=True)
class ClassifierFeatures:
    """The feature space of a small classifier trained on the run's dataset."""

    network: SmallCNN
    data: Images
    description: dict[str, str | float]
    device: torch.device
    folder: Path

    def describe(self) -> dict[str, str | float]:
        """Return the dataset, the test accuracy in percent, and the hash of the weights."""
        return self.description

    def embed(self, examples: NDArray[np.uint8], report: Report) -> Arrays:
        """Return features and logits of uint8 images, in blocks of fixed size."""
        return in_blocks(lambda part: self.network(as_inputs(self.data, part)), examples, BLOCK, self.device, report)


def classifier_features(config: ClassifierSpace, weights: str, subject: Subject) -> ClassifierFeatures:
    """Return the feature space of the subject's dataset, trained and cached if necessary.

    Raises `SpecError` unless the data are images with classes.
    """
    data = images_of(subject.config.data, config)
    if not data.num_classes:
        raise SpecError(f"feature space '{config.kind}' needs classes: dataset '{data.name}' has none")
    folder = subject.cache / "features" / f"{subject.config.data.name}-{subject.data.manifest.sha256[:12]}-r{REVISION}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        description = _kept_description(folder)
        if description is None:
            description = _train_classifier(data, subject, folder)
    network = SmallCNN(data)
    network.load_state_dict(load_tensors(folder / WEIGHTS, str(description["weights_sha256"])))
    return ClassifierFeatures(network.to(subject.device).eval(), data, description, subject.device, folder)


def _kept_description(folder: Path) -> Description | None:
    """Return the description of the classifier in a folder, None unless it and its weights are intact."""
    path = folder / DESCRIPTION
    if not is_intact(path):
        return None
    description: Description = read_json(path)
    if tensors_match(folder / WEIGHTS, str(description["weights_sha256"])):
        return description
    log.warning("%s does not match %s: it is recomputed", folder / WEIGHTS, path.name)
    return None


def cropped_batches(train: ResidentLoader, stream: Stream, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the images, cropped at random, and the labels of each step, loaded and cropped for ten steps at once."""
    order = ShuffledOrder(stream.at("order"), len(train), BATCH_SIZE)
    rows = torch.arange(BATCH_SIZE)
    for start in range(0, steps, PREFETCH_STEPS):
        block = range(start, min(start + PREFETCH_STEPS, steps))
        batch = train.batch(torch.cat([order.indices(step) for step in block]))
        images = crop(batch.images, rows, Streams([stream.at("crop", step) for step in block]), padding=1)
        yield from zip(images.split(BATCH_SIZE), batch.labels.split(BATCH_SIZE), strict=True)


def _train_classifier(data: Images, subject: Subject, folder: Path) -> Description:
    """Train on the CPU, so that features are the same on every device."""
    stream, cpu = Stream("features", REVISION), torch.device("cpu")
    train, test = (ResidentLoader(subject.data.split(split), cpu) for split in ("train", "test"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SmallCNN(data)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    steps = EPOCHS * (len(train) // BATCH_SIZE)
    for step, (images, labels) in enumerate(cropped_batches(train, stream, steps)):
        _, logits = network(images)
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - step / steps)
        optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        correct = sum(int((network(b.images)[1].argmax(1) == b.labels).sum()) for b in test.blocks(BLOCK))
    weights = folder / WEIGHTS
    description: Description = {
        "kind": "classifier",
        "data": data.name,
        "data_sha256": subject.data.manifest.sha256,
        "test_accuracy": 100 * correct / len(test),
        "weights_sha256": save_tensors(weights, network.state_dict()),
    }
    write_hash(weights)
    write_hashed(folder / DESCRIPTION, lambda file: file.write(json.dumps(description, indent=2).encode() + b"\n"))
    return description
