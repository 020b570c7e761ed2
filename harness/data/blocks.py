"""What readers hand over: images and labels, in pieces that fit into memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.data.errors import DataError

Report = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is (0 where nobody knows)."""


@dataclass(frozen=True)
class Block:
    """The next images of one or more splits: `(n, channels, size, size)` uint8, with labels `(n,)` counted from 0."""

    splits: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


Part = Callable[[], Iterable[Block]]
"""Reads some of the blocks, without those before them having to be read: what a preparation may go on after."""


def whole(blocks: Iterable[Block]) -> Iterator[Part]:
    """Yield everything as one part: what cannot be read from the middle, or takes seconds."""
    yield lambda: blocks


def classes(labels: Iterable[int], allowed: range, where: str) -> NDArray[np.int64]:
    """Return labels counted from 0 whatever the file begins with.

    Raises `DataError` for a label outside of `allowed`, naming the file in question by `where`.
    """
    found = list(labels)
    for label in found:
        if label not in allowed:
            raise DataError(f"{where} has the label {label!r}: allowed are {allowed[0]} to {allowed[-1]}")
    return np.array(found, dtype=np.int64) - allowed.start


def expect(count: int, expected: int, what: str) -> None:
    """Raise `DataError` unless there are as many of something as there should be."""
    if count != expected:
        raise DataError(f"{what}: {count:,} found, {expected:,} expected")
