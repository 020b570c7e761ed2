"""The protocol of feature spaces, and the forward pass in blocks."""

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
        """The folder for what is computed once for all runs on these data."""
        ...

    def describe(self) -> dict[str, str | float]:
        """Return what names the space in a record: its kind, the hash of its weights, how good it is."""
        ...

    def embed(self, examples: NDArray[Any], report: Report) -> Arrays:
        """Return features and logits of examples `(n, *shape)`, which may be memory-mapped.

        They have the form in which the dataset stores the field that models take: images are uint8. `report` is told
        how many are done, and of how many.
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
    """Return what a network makes of stored examples, given in blocks on a device, in float32 without TF32."""
    features: list[NDArray[np.float32]] = []
    logits: list[NDArray[np.float32]] = []
    with matmuls_in("fp32"):
        for start in range(0, len(examples), block):
            part = torch.from_numpy(np.array(examples[start : start + block])).to(device)
            for kept, output in zip((features, logits), network(part), strict=True):
                kept.append(output.cpu().numpy())
            report(start + len(part), len(examples))
    return np.concatenate(features), np.concatenate(logits)
