"""What readers hand over: named arrays, in pieces that fit into memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.errors import DataError

Report = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is (0 where nobody knows)."""


@dataclass(frozen=True)
class Block:
    """The next examples of one or more splits: an array `(n, *shape)` for each field of the dataset, by name."""

    splits: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]


Chunk = Callable[[], Iterable[Block]]
"""Reads some of the blocks, without those before them having to be read: what a preparation may go on after."""


def as_chunks(found: Iterable[Block | Chunk]) -> Iterator[Chunk]:
    """Yield what a reader gives as parts.

    Blocks that come without a part are one together: they may depend on all that was read before them.
    """
    for is_part, group in groupby(found, callable):
        if is_part:
            yield from group  # type: ignore[misc]  # what can be called is a part
        else:
            yield partial(_rest, group)


def _rest(group: Iterator[Any]) -> Iterator[Block]:
    return group


def labelled(splits: tuple[str, ...], images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Block:
    """Return images `(n, channels, size, size)` with labels `(n,)` counted from 0."""
    return Block(splits, {"images": images, "labels": labels})


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
