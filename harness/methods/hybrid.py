"""Hybrid training: one network that classifies and generates (the HybViT rows; HybViT §4.2)."""

from collections.abc import Iterator

from torch import Tensor

from harness.config import methods as spec
from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.methods.base import Loss, Step
from harness.methods.classification import cross_entropy
from harness.methods.denoising import DiffusionModel
from harness.models.base import ImageNetwork
from harness.models.dropout import seed_dropout


class Hybrid(DiffusionModel):
    """Minimises L_CE + alpha L_simple, each term on its own mini-batch (HybViT Eq. 23, Fig. 3).

    Capabilities: `Classifier`, `Generator`, `LikelihoodModel`.
    """

    def __init__(self, config: spec.Hybrid, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(config.process, network, data)
        self.config = config

    def augmentations(self) -> dict[str, Augmentation | None]:
        """Return two batches; only the labelled one is augmented."""
        return {"labelled": self.config.augmentation, "clean": None}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the weighted sum of both losses, for one backward pass through two forward passes."""
        labelled, clean = step.batches["labelled"], step.batches["clean"]
        seed_dropout(self.network, step.stream.at("dropout"), labelled.rows)
        classification = cross_entropy(self.logits(labelled.inputs), labelled, self.config.label_smoothing)
        denoising = self.denoising_loss(clean, step.stream.at("diffusion"))
        log = {"cross_entropy": classification.detach(), "denoising": denoising.detach()}
        yield Loss("network", classification + self.config.alpha * denoising, log)  # HybViT Eq. 23-24

    def logits(self, images: Tensor) -> Tensor:
        """Return class logits `(batch, num_classes)` of clean images in [-1, 1], without a timestep (HybViT Fig. 2)."""
        return self.network.logits(images)
