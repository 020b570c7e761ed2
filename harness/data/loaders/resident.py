"""Loader that keeps the whole split in device memory."""

import warnings
from collections.abc import Generator, Iterable

import torch
from torch import Tensor

from harness.data.batches import Batch
from harness.data.loaders.base import Loader, to_device
from harness.data.loaders.pixels import decode_fields
from harness.data.prepared.dataset import Split


class ResidentLoader(Loader):
    """Keeps the stored split in device memory: the fastest loader if it fits.

    On the CPU this is the memory-mapped file itself, shared by all workers of a machine.
    """

    def __init__(self, split: Split, device: torch.device) -> None:
        super().__init__(split.data)
        self._device = device
        self._length = len(split)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about non-writable arrays; these are only read
            self._fields = {name: torch.from_numpy(array).to(device) for name, array in split.arrays.items()}

    def __len__(self) -> int:
        return self._length

    def batch(self, indices: Tensor) -> Batch:
        """Return the examples at these positions of the split."""
        indices = to_device(indices, self._device)
        # index_select copies whole examples; advanced indexing copies single values, ten times slower on the CPU.
        found = {name: tensor.index_select(0, indices) for name, tensor in self._fields.items()}
        return Batch(self.data, decode_fields(self.data, found), indices)

    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        for indices in order:
            yield self.batch(indices)
