"""Torch's DataLoader over the memory-mapped files: the plain reference, and the fallback without FFCV.

It fetches in this process. Stored pixels are decoded, so fetching is only a copy, and passing them between processes
costs more: one or two worker processes make it two to three times slower.
"""

from collections.abc import Generator, Iterable

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from harness.data.batches import Batch
from harness.data.loaders.base import Loader, checked, to_device
from harness.data.loaders.pixels import decode_fields
from harness.data.prepared.dataset import Split

Examples = tuple[dict[str, Tensor], Tensor]


class TorchLoader(Loader):
    """A DataLoader whose batches of indices come from outside."""

    def __init__(self, split: Split, device: torch.device) -> None:
        super().__init__(split.data)
        self._split = _Split(split)
        self._device = device

    def __len__(self) -> int:
        return len(self._split)

    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        loader = DataLoader(
            self._split,
            batch_sampler=checked(order, len(self)),  # type: ignore[arg-type]  # any iterable works
            collate_fn=lambda examples: examples,  # `__getitems__` returns whole batches
            generator=torch.Generator(),  # otherwise every iteration draws a seed from torch's global generator
        )
        for fields, indices in loader:
            found = {name: to_device(tensor, self._device) for name, tensor in fields.items()}
            yield Batch(self.data, decode_fields(self.data, found), to_device(indices, self._device))


class _Split(Dataset[Examples]):
    def __init__(self, split: Split) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __getitems__(self, indices: Tensor) -> Examples:
        """Return the examples at these positions; DataLoader calls this with a whole batch."""
        arrays = self._split.arrays.items()
        return {name: torch.from_numpy(array.take(indices.numpy(), axis=0)) for name, array in arrays}, indices
