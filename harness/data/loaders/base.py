"""What every loader is: a split of a dataset that hands out batches by index."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator

import torch
from torch import Tensor

from harness.config.dataset import Dataset
from harness.data.batches import Batch


class Loader(ABC):
    """A split of a dataset that hands out batches by index, whatever keeps the examples.

    Several iterations may be under way at once; each belongs to one thread.
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch on the device for each tensor of positions in the split, in this order.

        The positions are int64 on the CPU. A loader may read ahead in `order`, which may be endless. Whoever leaves
        the iteration early closes it. Raises `IndexError` for a position outside of the split.
        """

    def blocks(self, size: int, part: range | None = None) -> Generator[Batch]:
        """Yield a part of the split in order, by default the whole, every example once.

        The blocks have `size` examples, the last may have fewer.
        """
        positions = torch.arange(len(self))[slice(part.start, part.stop) if part is not None else slice(None)]
        return self.batches(block for block in positions.split(size) if len(block))


def checked(order: Iterable[Tensor], n: int) -> Iterator[Tensor]:
    """Yield what there is in an order.

    Raises `IndexError` for a position outside of a split of `n`, which native code would take for one.
    """
    for indices in order:
        if len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < n:
            raise IndexError(f"position outside of the split: allowed are 0 to {n - 1}")
        yield indices


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor from the CPU to the device, without waiting for what the device is doing."""
    if device.type != "cuda":
        return tensor.to(device)
    pinned = tensor if tensor.is_pinned() else tensor.pin_memory()
    return pinned.to(device, non_blocking=True)
