"""Which loader takes a split, and why: a function of sizes alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harness.config.dataset import Dataset, Images
from harness.data.ffcv_holds import cannot_hold, refuse_what_it_cannot_hold

RESIDENT_PIXELS = 64
"""Larger images are read from the disk: their sets are large, and a step over them takes longer than reading them."""
SHARE = 0.5
"""A split may take this share of the free memory; the rest is for training."""


@dataclass(frozen=True)
class Choice:
    """The name of a loader, and why it was taken."""

    name: Literal["resident", "ffcv", "torch"]
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def stays_on_disk(data: Dataset) -> bool:
    """Tell whether a dataset is read from the disk however little of it there is."""
    return isinstance(data, Images) and data.image_size > RESIDENT_PIXELS


def choose(wanted: str, data: Dataset, size: int, free: int, problem: Callable[[], str]) -> Choice:
    """Return the loader for a split of `size` bytes on a device with `free` bytes.

    What is `wanted` is taken, unless that is `auto`. `problem` says why FFCV cannot be used on this machine, with
    nothing when it can; it is asked only when that matters. Raises `DataError` for a dataset that FFCV cannot hold.
    """
    match wanted:
        case "ffcv":
            refuse_what_it_cannot_hold(data)
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
    trouble = cannot_hold(data) or problem()
    return Choice("torch", f"{why}, and {trouble}") if trouble else Choice("ffcv", why)
