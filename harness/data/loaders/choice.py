"""Chooses the loader of a split by its size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.config.dataset import Dataset, Images
from harness.data.ffcv_support import check_ffcv_support, unsupported_reason

RESIDENT_PIXELS = 64
"""Larger images are read from disk: such datasets are large, and reading is faster than the training step."""
SHARE = 0.5
"""The fraction of free memory that a split may take; the rest is for training."""


@dataclass(frozen=True)
class Choice:
    """The name of a loader, and why it was chosen."""

    name: Literal["resident", "ffcv", "torch"]
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def stays_on_disk(data: Dataset) -> bool:
    """Return whether a dataset is read from disk regardless of its total size."""
    return isinstance(data, Images) and data.image_size > RESIDENT_PIXELS


def choose(wanted: str, data: Dataset, size: int, free: int, problem: Callable[[], str]) -> Choice:
    """Choose the loader for a split of `size` bytes on a device with `free` bytes.

    `wanted` wins, unless it is `auto`. `problem` returns why FFCV is unusable on this machine, or an empty string; it
    is called only if needed. Raises `DataError` if FFCV is wanted but does not support the dataset.
    """
    match wanted:
        case "ffcv":
            check_ffcv_support(data)
            return Choice(wanted, "as asked")
        case "resident" | "torch":
            return Choice(wanted, "as asked")
    if stays_on_disk(data):
        why = f"images of more than {RESIDENT_PIXELS} pixels stay on the disk"
    elif size > SHARE * free:
        why = f"{size / 1e9:.1f} GB do not fit into half of the {free / 1e9:.1f} GB that are free"
    else:
        what = f"images of up to {RESIDENT_PIXELS} pixels" if isinstance(data, Images) else data.kind
        return Choice("resident", f"{what} that fit into half of the free memory")
    trouble = unsupported_reason(data) or problem()
    return Choice("torch", f"{why}, and {trouble}") if trouble else Choice("ffcv", why)
