"""Validation metrics of methods, one value per example."""

from typing import Any

from torch import Tensor

from harness.data.loaders import Batch


def accuracy(model: Any, batch: Batch) -> Tensor:
    """Return 100 per correctly classified example and 0 otherwise: `(batch,)` float64."""
    hits = model.logits(batch.inputs).argmax(dim=1) == batch.targets
    return 100 * hits.double()
