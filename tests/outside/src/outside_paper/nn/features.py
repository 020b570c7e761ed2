"""A feature space without training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.dataset import Images, images_of
from harness.data.loaders import as_inputs
from harness.evaluation.base import BLOCK, Subject
from harness.evaluation.features.base import Arrays, Report, in_blocks
from harness.randomness import Stream
from outside_paper import evaluations as spec


@dataclass(frozen=True)
class ProjectedFeatures:
    """Random projections of pixels to features, and of features to logits."""

    data: Images
    projection: Tensor
    heads: Tensor
    folder: Path
    device: torch.device

    def describe(self) -> dict[str, str | float]:
        """Return the dataset and the number of features."""
        return {"kind": "outside.projection", "data": self.data.name, "features": self.projection.shape[1]}

    def embed(self, examples: NDArray[np.uint8], report: Report) -> Arrays:
        """Return features and logits of uint8 images."""

        def network(part: Tensor) -> tuple[Tensor, Tensor]:
            features = as_inputs(self.data, part).flatten(1) @ self.projection
            return features, features @ self.heads

        return in_blocks(network, examples, BLOCK, self.device, report)


def projection(space: spec.Projection, weights: str, subject: Subject) -> ProjectedFeatures:
    """Return the feature space for the subject's images."""
    data, stream = images_of(subject.config.data, space), Stream("outside", "projection")
    matrix = stream.at("features").normal(torch.arange(data.dimensions), space.features) / data.dimensions**0.5
    heads = stream.at("logits").normal(torch.arange(space.features), data.num_classes)
    name = f"outside-projection-{space.features}-{data.name}-{subject.data.manifest.sha256[:12]}"
    folder = subject.cache / "features" / name
    folder.mkdir(parents=True, exist_ok=True)
    return ProjectedFeatures(data, matrix.to(subject.device), heads.to(subject.device), folder, subject.device)
