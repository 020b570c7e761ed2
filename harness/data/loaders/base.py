"""The base class of loaders."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator

import torch
from torch import Tensor

from harness.config.dataset import Dataset
from harness.data.batches import Batch


class Loader(ABC):
    """Fetches batches of a split by index.

    Several iterations may run at once, each in one thread.
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch on the device for each tensor of positions in the split, in order.

        Positions are int64 on the CPU. A loader may prefetch from `order`, which may be infinite. Close the generator
        to stop early. Raises `IndexError` for a position outside of the split.
        """

    def blocks(self, size: int, part: range | None = None) -> Generator[Batch]:
        """Yield the split, or a part of it, in order, every example once.

        Blocks have `size` examples; the last may have fewer.
        """
        positions = torch.arange(len(self))[slice(part.start, part.stop) if part is not None else slice(None)]
        return self.batches(block for block in positions.split(size) if len(block))


def checked(order: Iterable[Tensor], n: int) -> Iterator[Tensor]:
    """Yield the tensors of an order after a bounds check.

    Raises `IndexError` for a position outside of a split of `n`, which native code would not notice.
    """
    for indices in order:
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < n:
            raise IndexError(f"position outside of the split: allowed are 0 to {n - 1}")
        yield indices


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a CPU tensor to the device asynchronously."""
    if device.type != "cuda":
        return tensor.to(device)
    pinned = tensor if tensor.is_pinned() else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)
