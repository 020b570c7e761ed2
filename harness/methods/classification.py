"""Classification by cross-entropy, on augmented images (the ViT rows) or on unaugmented examples."""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from harness.config import methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.data.batches import TrainBatch
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from harness.models.dropout import seed_dropout


class Classification(SingleNetworkMethod):
    """Minimises L_CE, the first term of HybViT Eq. 23, with a network that has `logits`. Capability: `Classifier`."""

    def __init__(self, config: spec.Classification, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.config = config

    def augmentations(self) -> dict[str, Augmentation]:
        """Return the single batch of a step, augmented."""
        return {"labelled": self.config.augmentation}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the cross-entropy."""
        batch = step.batches["labelled"]
        seed_dropout(self.network, step.stream.at("dropout"), batch.rows)
        loss = cross_entropy(self.logits(batch.inputs), batch, self.config.label_smoothing)
        yield Loss("network", loss, {"cross_entropy": loss.detach()})

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)` of images in [-1, 1]."""
        return self.network.logits(images)


def cross_entropy(logits: Tensor, batch: TrainBatch, label_smoothing: float) -> Tensor:
    """Return E[H(x_0, y)] for logits `(batch, num_classes)` (HybViT Eq. 24).

    The two labels of an example weigh `lam` and 1 - `lam` (Mixup, arXiv 1710.09412); `lam` is 1 without mixing.
    """
    own, partner = (
        F.cross_entropy(logits, labels.long(), label_smoothing=label_smoothing, reduction="none")
        for labels in (batch.targets, batch.labels_b)
    )
    return (batch.lam * own + (1 - batch.lam) * partner).mean()
