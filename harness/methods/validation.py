"""Validation values of methods, one for each example of a batch."""

from typing import Any

from torch import Tensor

from harness.data.loaders import Batch


def accuracy(model: Any, batch: Batch) -> Tensor:
    """Return 100 for every example whose largest logit is that of its label, 0 for all others: `(batch,)` float64."""
    hits = model.logits(batch.inputs).argmax(dim=1) == batch.targets
    return 100 * hits.double()
