"""The torch code of the paper about points: readers, a network, a method and a feature space."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from harness.data.prepared.blocks import Block
from harness.methods.base import Loss, SingleNetworkMethod

CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def read_points(data, files):
    """Yield each split as parts of forty points."""
    for number, (split, count) in enumerate(sorted(data.splits.items())):
        random = np.random.default_rng(number)
        y = random.integers(0, data.num_classes, count)
        x = CENTRES[y] + random.standard_normal((count, 2)) / 2
        for start in range(0, count, 40):
            part = slice(start, start + 40)
            block = Block((split,), {"x": x[part].astype(np.float32), "y": y[part].astype(np.int32)})
            yield lambda block=block: [block]


def read_far(data, files):
    """Yield points far from every cluster."""
    yield Block(("test",), {"x": np.full((data.splits["test"], 2), 50.0, np.float32)})


def perceptron(config, data):
    """Return a network with a hidden layer."""
    return nn.Sequential(nn.Linear(data.dimensions, config.width), nn.ReLU(), nn.Linear(config.width, data.num_classes))


class CloudMethod(SingleNetworkMethod):
    """The method; its network includes mean and log-scale of all points as parameters."""

    def __init__(self, config, network, data):
        super().__init__(network, data)
        network.mean = nn.Parameter(torch.zeros(data.example_shape))
        network.log_scale = nn.Parameter(torch.zeros(data.example_shape))

    def augmentations(self):
        return {"points": None}

    def training_step(self, step):
        batch = step.batches["points"]
        error = F.cross_entropy(self.logits(batch["x"]), batch.targets.long())
        bits = self.bits_per_dim(batch.inputs, step.stream, batch.rows).mean()
        yield Loss("network", error + bits, {"cross_entropy": error.detach(), "bits": bits.detach()})

    def logits(self, inputs):
        return self.network.logits(inputs)

    def bits_per_dim(self, inputs, stream, rows):
        normal = torch.distributions.Normal(self.network.mean, self.network.log_scale.exp())
        return -normal.log_prob(inputs).mean(dim=1) / math.log(2)

    def sample(self, sampler, stream, rows):
        return self.network.mean + self.network.log_scale.exp() * stream.normal(rows, *self.example_shape)


@dataclass(frozen=True)
class PlaneFeatures:
    folder: Path

    def describe(self):
        return {"kind": "points.plane"}

    def embed(self, examples, report):
        assert examples.dtype == np.float32 and examples.shape[1:] == (2,)
        distances = ((examples[:, None] - CENTRES[None]) ** 2).sum(axis=2)
        return np.array(examples), -distances.astype(np.float32)


def plane(config, weights, subject):
    """Return the feature space."""
    folder = subject.cache / "features" / f"plane-{subject.data.manifest.sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return PlaneFeatures(folder)


def read_table(data, files):
    """Yield the lines of a table of numbers; the last column is the target."""
    table = np.loadtxt(files["moons.csv"], delimiter=",", dtype=np.float64, ndmin=2)
    yield Block(("train",), {"x": table[:, :-1], "y": table[:, -1]})
