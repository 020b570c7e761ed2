"""Results of comparisons, as rows of a table."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from harness.data.loaders import pixels, to_signed
from harness.randomness import Draws

Values = Tensor | ArrayLike


@dataclass(frozen=True)
class Row:
    """The largest difference of two results, absolute and relative to the largest official value."""

    what: str
    precision: str
    absolute: float
    relative: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the relative difference is within the tolerance; NaN never is."""
        return self.relative <= self.tolerance


def compare(what: str, precision: str, ours: Values | Sequence[Tensor], theirs: Values | Sequence[Tensor],
            tolerance: float) -> Row:  # fmt: skip
    """Compare two results of equal shape, or two lists of tensors by their worst pair."""
    if isinstance(ours, list) and isinstance(theirs, list) and isinstance(ours[0], Tensor):
        pairs = [compare(what, precision, a, b, tolerance) for a, b in zip(ours, theirs, strict=True)]
        worst = max(pair.relative if pair.relative == pair.relative else math.inf for pair in pairs)
        return Row(what, precision, max(pair.absolute for pair in pairs), worst, tolerance)
    a, b = (np.asarray(value.detach() if isinstance(value, Tensor) else value, np.float64) for value in (ours, theirs))
    if a.shape != b.shape:
        return Row(what, precision, math.inf, math.inf, tolerance)
    absolute, largest = float(np.abs(a - b).max()), float(np.abs(b).max())
    return Row(what, precision, absolute, absolute / largest if largest else absolute, tolerance)


@contextmanager
def precision(name: str) -> Iterator[torch.dtype]:
    """Compute in `float32` or `float64`; streams and loaders convert their float32 values."""
    dtype, before, normal = getattr(torch, name), torch.get_default_dtype(), Draws.normal
    torch.set_default_dtype(dtype)
    try:
        with (
            patch.object(Draws, "normal", lambda *arguments: normal(*arguments).to(dtype)),
            patch.object(pixels, "to_signed", lambda images, levels: to_signed(images, levels).to(dtype)),
        ):
            yield dtype
    finally:
        torch.set_default_dtype(before)
