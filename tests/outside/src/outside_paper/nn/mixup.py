"""Mixup (Zhang et al. 2018) on the rows of a table."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from harness.config.dataset import Dataset
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from outside_paper import methods as spec


class Mixup(SingleNetworkMethod):
    """Trains a network with `logits` on mixed rows. Capability: `Classifier`."""

    def __init__(self, config: spec.Mixup, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)
        self.alpha = config.alpha

    def augmentations(self) -> Mapping[str, None]:
        """Return the single batch of a step, unaugmented."""
        return {"observed": None}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the cross-entropy of mixed rows; partners come from the global batch, across ranks."""
        batch = step.batches["observed"]
        share, partners = 1.0, batch.rows
        if self.alpha:
            share = float(np.random.default_rng(step.stream.at("share").seed).beta(self.alpha, self.alpha))
            partners = step.stream.at("partners").permutation(step.batch_size, batch.rows.device)[batch.rows]
        rows = step.gather_rows(batch.inputs, batch.rows)[partners]
        classes = step.gather_rows(batch.targets, batch.rows)[partners]
        logits = self.logits(share * batch.inputs + (1 - share) * rows)
        loss = share * F.cross_entropy(logits, batch.targets) + (1 - share) * F.cross_entropy(logits, classes)
        yield Loss("network", loss, {"cross_entropy": loss.detach()})

    def logits(self, inputs: Tensor) -> Tensor:
        """Return class logits of unmixed rows."""
        return self.network.logits(inputs)
