"""The output of readers: blocks of named arrays that fit into memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.errors import DataError

Report = Callable[[str, int, int], None]
"""Progress callback: the current activity, the amount done, and the total (0 if unknown)."""


@dataclass(frozen=True)
class Block:
    """The next examples of one or more splits: one array `(n, *shape)` per field of the dataset, by name."""

    splits: tuple[str, ...]
    arrays: Mapping[str, NDArray[Any]]


Chunk = Callable[[], Iterable[Block]]
"""Reads some blocks, independently of earlier chunks, so that a preparation can resume after any chunk."""


def as_chunks(found: Iterable[Block | Chunk]) -> Iterator[Chunk]:
    """Yield the output of a reader as chunks.

    Consecutive bare blocks form a single chunk, because each may depend on the blocks before it.
    """
    for is_chunk, group in groupby(found, callable):
        if is_chunk:
            yield from group  # type: ignore[misc]  # callables are chunks
        else:
            yield partial(_rest, group)


def _rest(group: Iterator[Any]) -> Iterator[Block]:
    return group


def labelled(splits: tuple[str, ...], images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Block:
    """Return a block of images `(n, channels, size, size)` with labels `(n,)` starting at 0."""
    return Block(splits, {"images": images, "labels": labels})


def classes(labels: Iterable[int], allowed: range, where: str) -> NDArray[np.int64]:
    """Shift labels so that they start at 0.

    Raises `DataError` for a label outside of `allowed`; `where` names the file in the message.
    """
    found = list(labels)
    for label in found:
        if label not in allowed:
            raise DataError(f"{where} has the label {label!r}: allowed are {allowed[0]} to {allowed[-1]}")
    return np.array(found, dtype=np.int64) - allowed.start


def expect(count: int, expected: int, what: str) -> None:
    """Raise `DataError` unless a count is as expected."""
    if count != expected:
        raise DataError(f"{what}: {count:,} found, {expected:,} expected")
