"""The interface of feature spaces, and blockwise embedding."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.models.acceleration import matmuls_in

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Features `(n, d)` and class logits `(n, classes)`."""
Report = Callable[[int, int], None]


class FeatureSpace(Protocol):
    """Maps examples to features and class logits."""

    @property
    def folder(self) -> Path:
        """The cache folder shared by all runs on this dataset."""
        ...

    def describe(self) -> dict[str, str | float]:
        """Return the description for records: kind, hash of the weights, and quality of the space."""
        ...

    def embed(self, examples: NDArray[Any], report: Report) -> Arrays:
        """Return features and logits of examples `(n, *shape)`, which may be memory-mapped.

        Examples are in the dataset's storage format: images are uint8. `report` gets the number of finished and of all
        examples.
        """
        ...


@torch.inference_mode()
def in_blocks(
    network: Callable[[Tensor], tuple[Tensor, Tensor]],
    examples: NDArray[Any],
    block: int,
    device: torch.device,
    report: Report,
) -> Arrays:
    """Embed stored examples blockwise on a device, in float32 without TF32."""
    features: list[NDArray[np.float32]] = []
    logits: list[NDArray[np.float32]] = []
    with matmuls_in("fp32"):
        for start in range(0, len(examples), block):
            part = torch.from_numpy(np.array(examples[start : start + block])).to(device)
            for kept, output in zip((features, logits), network(part), strict=True):
                kept.append(output.cpu().numpy())
            report(start + len(part), len(examples))
    return np.concatenate(features), np.concatenate(logits)
