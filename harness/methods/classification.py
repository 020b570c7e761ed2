"""Classification: cross-entropy on augmented images (the rows called ViT)."""

from collections.abc import Iterator, Mapping

import torch.nn.functional as F
from torch import Tensor

from harness.data.augmentation import augment
from harness.data.loaders import Batch
from harness.methods.base import Classifier, Loss, SingleNetworkMethod
from harness.models.base import ImageNetwork
from harness.randomness import Stream
from harness.spec import methods as spec
from harness.spec.data import Dataset
from harness.spec.methods import Augmentation


class Classification(SingleNetworkMethod):
    """Minimises the cross-entropy of a network with `logits`. Capability: `Classifier`."""

    streams = ("labelled",)

    def __init__(self, config: spec.Classification, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.config = config

    def training_step(self, batches: Mapping[str, Batch], stream: Stream) -> Iterator[Loss]:
        """Yield the cross-entropy."""
        augmentation, smoothing = self.config.augmentation, self.config.label_smoothing
        loss = classification_loss(self, batches["labelled"], augmentation, smoothing, stream)
        yield Loss("network", loss, {"cross_entropy": loss.detach()})

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits of images in [-1, 1]."""
        return self.network.logits(images)


def classification_loss(
    model: Classifier, batch: Batch, augmentation: Augmentation, label_smoothing: float, stream: Stream
) -> Tensor:
    """Return the cross-entropy of an augmented batch, each image weighing its two labels by their share."""
    mixed = augment(batch, augmentation, stream.at("augmentation"))
    logits = model.logits(mixed.images)
    own = F.cross_entropy(logits, mixed.labels, label_smoothing=label_smoothing, reduction="none")
    partner = F.cross_entropy(logits, mixed.partner_labels, label_smoothing=label_smoothing, reduction="none")
    return (mixed.share * own + (1 - mixed.share) * partner).mean()
