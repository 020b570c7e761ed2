"""Torch's own DataLoader over the memory-mapped files: the plain reference, and what there is without FFCV.

It fetches in this process. Decoded pixels are only copied, and handing them from process to process costs more than
that: with one or two loading processes it is two to three times slower.
"""

from collections.abc import Generator, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from harness.data.loaders.base import Batch, Loader, checked, to_device
from harness.data.loaders.pixels import to_signed
from harness.data.prepared import Labels, Pixels

Parts = tuple[Tensor, Tensor, Tensor]


class TorchLoader(Loader):
    """A DataLoader whose batches are those of our order."""

    def __init__(self, images: Pixels, labels: Labels, device: torch.device) -> None:
        self._split = _Split(images, labels)
        self._device = device

    def __len__(self) -> int:
        return len(self._split)

    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        loader = DataLoader(
            self._split,
            batch_sampler=checked(order, len(self)),  # type: ignore[arg-type]  # any iterable does
            collate_fn=_as_it_is,
            generator=torch.Generator(),  # else every iteration draws a seed from torch's global numbers
        )
        for parts in loader:
            images, labels, indices = (to_device(part, self._device) for part in parts)
            yield Batch(to_signed(images), labels, indices)


class _Split(Dataset[Parts]):
    def __init__(self, images: Pixels, labels: Labels) -> None:
        self._images = images
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitems__(self, indices: Tensor) -> Parts:
        """Return the images and labels at these positions; DataLoader asks so for a whole batch."""
        images, labels = (array.take(indices.numpy(), axis=0) for array in (self._images, self._labels))
        return torch.from_numpy(images), torch.from_numpy(labels), indices


def _as_it_is(parts: Any) -> Any:
    return parts
