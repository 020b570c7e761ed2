"""A preparation under way: growing files, and a journal that says how much of them counts.

The journal is renamed into place after the files have reached the disk. So what it vouches for is there, also when the
power fails; what was written after it is cut off by whoever goes on.
"""

import shutil
import time
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.data.blocks import Block
from harness.data.errors import DataError
from harness.spec.data import Dataset
from harness.store.arrays import ArrayWriter, holds
from harness.store.files import StoreError, read_json, write_json, writing

JOURNAL = "journal.json"
SECONDS = 2.0
"""Between two entries of the journal, which wait for the disk."""


class Journal(BaseModel):
    """How many parts of an original are done, how many images of each split they gave, and what it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    parts: int
    images: dict[str, int]


class Draft:
    """The files of a dataset that is being prepared, in a folder of its own.

    `source` names everything that decides what is read. A draft of the same source is gone on with, any other is
    thrown away.
    """

    def __init__(self, data: Dataset, folder: Path, source: str) -> None:
        self._folder = folder
        self._source = source
        journal = _trusted(data, folder, source)
        if journal is None:
            shutil.rmtree(folder, ignore_errors=True)
            journal = Journal(source=source, parts=0, images=dict.fromkeys(data.splits, 0))
            with writing(folder):
                folder.mkdir()
        self.parts = journal.parts
        self._splits = {split: _Split(data, split, folder, kept) for split, kept in journal.images.items()}
        self._saved = time.monotonic()

    @property
    def images(self) -> int:
        """The number of images that are written, over all splits."""
        return sum(split.written for split in self._splits.values())

    def append(self, block: Block) -> None:
        """Write a block to its splits.

        Raises `DataError` when it does not belong there.
        """
        for split in block.splits:
            self._splits[split].append(block)

    def end_part(self) -> None:
        """Take note that a part is complete, on the disk every few seconds."""
        self.parts += 1
        if time.monotonic() - self._saved >= SECONDS:
            self.save()

    def save(self) -> None:
        """Bring the files to the disk, and then the journal that vouches for them."""
        for split in self._splits.values():
            split.flush()
        images = {name: split.written for name, split in self._splits.items()}
        write_json(self._folder / JOURNAL, Journal(source=self._source, parts=self.parts, images=images).model_dump())
        self._saved = time.monotonic()

    def close(self) -> None:
        """Close the files; closing twice is allowed."""
        for split in self._splits.values():
            split.close()

    def shapes(self) -> dict[str, list[int]]:
        """Return the shapes of all files.

        Raises `DataError` when images are missing.
        """
        return {name: shape for split in self._splits.values() for name, shape in split.shapes().items()}


def _trusted(data: Dataset, folder: Path, source: str) -> Journal | None:
    """Return the journal of a draft of this source whose files hold what it says, None when there is none."""
    try:
        journal = Journal.model_validate(read_json(folder / JOURNAL))
    except (FileNotFoundError, ValidationError, StoreError):
        return None
    if journal.source != source or not source or journal.images.keys() != data.splits.keys():
        return None
    whole = all(
        holds(folder / name, shape, dtype, images)
        for split, images in journal.images.items()
        for name, (shape, dtype) in _files(data, split).items()
    )
    return journal if whole else None


def _files(data: Dataset, split: str) -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    """Return shape and type of the two files of a split, images first."""
    count, image = data.splits[split], data.stored["images"].shape
    return {f"{split}-images.npy": ((count, *image), np.uint8), f"{split}-labels.npy": ((count,), np.int64)}


class _Split:
    """The two growing files of a split, which take nothing that does not belong into them."""

    def __init__(self, data: Dataset, split: str, folder: Path, kept: int) -> None:
        self.written = kept
        self._data = data
        self._name = split
        self._shapes = _files(data, split)
        self._images, self._labels = (
            ArrayWriter(folder / name, shape, dtype, kept) for name, (shape, dtype) in self._shapes.items()
        )

    def append(self, block: Block) -> None:
        """Write a block.

        Raises `DataError` when its shapes or labels are wrong, or the split is full.
        """
        count, shape = self._data.splits[self._name], list(self._data.stored["images"].shape)
        if list(block.images.shape[1:]) != shape or block.images.dtype != np.uint8:
            raise self._refusal(f"has images of shape {block.images.shape[1:]} {block.images.dtype}, not {shape} uint8")
        if block.labels.shape != block.images.shape[:1]:
            raise self._refusal(f"has {len(block.images)} images for {block.labels.size} labels")
        outside = block.labels[(block.labels < 0) | (block.labels >= self._data.num_classes)]
        if len(outside):
            raise self._refusal(f"has the label {outside[0]}: allowed are 0 to {self._data.num_classes - 1}")
        self.written += len(block.labels)
        if self.written > count:
            raise self._refusal(f"has more than its {count:,} images")
        self._images.append(block.images)
        self._labels.append(block.labels)

    def flush(self) -> None:
        """Bring both files to the disk."""
        self._images.flush()
        self._labels.flush()

    def close(self) -> None:
        """Bring both files to the disk and close them."""
        self._images.close()
        self._labels.close()

    def shapes(self) -> dict[str, list[int]]:
        """Return the shapes of both files.

        Raises `DataError` when images are missing.
        """
        count = self._data.splits[self._name]
        if self.written != count:
            raise self._refusal(f"has {self.written:,} images, not {count:,}")
        return {name: list(shape) for name, (shape, _) in self._shapes.items()}

    def _refusal(self, why: str) -> DataError:
        return DataError(f"{self._data.name}: split {self._name} {why}; nothing was prepared")
