"""Writing the prepared form of a dataset: whole or not at all, by one process at a time, in little memory.

Everything is written into a folder of its own inside the dataset's, and moved into place with the manifest last. What
has no manifest does not count, so a killed preparation leaves nothing but that folder, which the next one clears.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from harness.data.blocks import Block, Report
from harness.data.errors import DataError
from harness.data.manifest import FILE, Manifest
from harness.spec.data import Dataset
from harness.store.arrays import ArrayWriter
from harness.store.files import sha256_of, write_json, writing

DRAFT = ".preparing"


@dataclass(frozen=True)
class Content:
    """What a dataset is prepared from: its blocks, each split in order, and the SHA-256 of its original archives."""

    blocks: Iterable[Block]
    archives: Mapping[str, str]


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def prepare(data: Dataset, root: Path, content: Callable[[], Content], report: Report = silent) -> bool:
    """Prepare a dataset and return True; return False, without asking for the content, when it is prepared already.

    Raises `DataError` when the content has other shapes, counts or labels than the dataset; then nothing is left.
    """
    folder = root / data.name
    if (folder / FILE).exists():
        return False
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, lambda: report(f"waiting for another process that prepares {data.name}", 0, 0)):
        if (folder / FILE).exists():
            return False
        draft = folder / DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with writing(draft):
                draft.mkdir()
            _fill(data, folder, content(), report)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return True


@contextmanager
def _alone(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a folder; call `wait` once where another process has it."""
    lock = FileLock(folder / ".lock")
    with writing(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            wait()
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fill(data: Dataset, folder: Path, content: Content, report: Report) -> None:
    """Write all files into the draft, move them into place, and then write the manifest."""
    draft, total, done = folder / DRAFT, sum(data.splits.values()), 0
    splits = {split: _Split(data, split, count, draft) for split, count in data.splits.items()}
    try:
        for block in content.blocks:
            for split in block.splits:
                splits[split].append(block)
                done += len(block.labels)
                report(f"preparing {data.name}", done, total)
    finally:
        for writer in splits.values():
            writer.close()
    shapes: dict[str, list[int]] = {}
    for writer in splits.values():
        shapes |= writer.finished()
    files = {name: sha256_of(draft / name) for name in shapes}
    with writing(folder):
        for name in files:
            os.replace(draft / name, folder / name)
    manifest = Manifest(name=data.name, files=files, shapes=shapes, archives=dict(content.archives))
    write_json(folder / FILE, manifest.model_dump())


class _Split:
    """The two growing files of a split, which take nothing that does not belong into them."""

    def __init__(self, data: Dataset, split: str, count: int, draft: Path) -> None:
        self._data = data
        self._name = split
        self._shape = (count, data.channels, data.image_size, data.image_size)
        self._written = 0
        self._images = ArrayWriter(draft / f"{split}-images.npy", self._shape, np.uint8)
        self._labels = ArrayWriter(draft / f"{split}-labels.npy", (count,), np.int64)

    def append(self, block: Block) -> None:
        """Write a block.

        Raises `DataError` when its shapes or labels are wrong, or the split is full.
        """
        count, *shape = self._shape
        if list(block.images.shape[1:]) != shape or block.images.dtype != np.uint8:
            raise self._refusal(f"has images of shape {block.images.shape[1:]} {block.images.dtype}, not {shape} uint8")
        if block.labels.shape != block.images.shape[:1]:
            raise self._refusal(f"has {len(block.images)} images for {block.labels.size} labels")
        outside = block.labels[(block.labels < 0) | (block.labels >= self._data.num_classes)]
        if len(outside):
            raise self._refusal(f"has the label {outside[0]}: allowed are 0 to {self._data.num_classes - 1}")
        self._written += len(block.labels)
        if self._written > count:
            raise self._refusal(f"has more than its {count:,} images")
        self._images.append(block.images)
        self._labels.append(block.labels)

    def close(self) -> None:
        """Bring both files to the disk."""
        self._images.close()
        self._labels.close()

    def finished(self) -> dict[str, list[int]]:
        """Return the shapes of both files.

        Raises `DataError` when images are missing.
        """
        count = self._shape[0]
        if self._written != count:
            raise self._refusal(f"has {self._written:,} images, not {count:,}")
        return {f"{self._name}-images.npy": list(self._shape), f"{self._name}-labels.npy": [count]}

    def _refusal(self, why: str) -> DataError:
        return DataError(f"{self._data.name}: split {self._name} {why}; nothing was prepared")
