"""A preparation in progress: growing files, and a journal of how much of them is valid.

The journal is renamed into place after the files were fsynced. So its contents survive a power failure; anything
written after it is truncated on resume.
"""

import logging
import shutil
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.base import sha256_of_json
from harness.config.dataset import Dataset
from harness.data.errors import DataError
from harness.data.prepared.blocks import Block
from harness.data.prepared.checks import complaint_of
from harness.data.prepared.manifest import files_of, in_order
from harness.errors import unknown
from harness.store.arrays import ArrayWriter, begun_sha256
from harness.store.files import StoreError, read_json, write_json, writing

log = logging.getLogger("harness.data")

JOURNAL = "journal.json"
SECONDS = 2.0
"""Minimum interval between journal writes, which wait for fsync."""


class Journal(BaseModel):
    """The source, the number of finished chunks, the number of examples written per split, and the SHA-256 of files.

    `sha256` is the hash of all other fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    parts: int
    images: dict[str, int]
    files: dict[str, str] = {}
    sha256: str = ""

    def with_own_hash(self) -> "Journal":
        """Return the journal with its own SHA-256."""
        return self.model_copy(update={"sha256": sha256_of_json(self.model_dump(exclude={"sha256"}))})


class PartialDataset:
    """The files of a dataset in preparation, in their own folder.

    `source` identifies everything that determines the output. A draft of the same source is resumed, any other is
    deleted.
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
        self._data = data
        self._splits = {split: _Split(data, split, folder, journal.images[split]) for split in in_order(data.splits)}
        self._saved = time.monotonic()

    @property
    def examples(self) -> int:
        """The number of examples written, over all splits."""
        return sum(split.written for split in self._splits.values())

    def append(self, block: Block) -> None:
        """Append a block to its splits.

        Raises `DataError` if it does not match them.
        """
        if not isinstance(block, Block):
            raise DataError(f"{self._data.name}: its reader yields a {type(block).__name__}, not blocks or chunks")
        for split in block.splits:
            if split not in self._splits:
                raise DataError(f"{self._data.name}: its reader yields {unknown('split', split, self._splits)}")
            self._splits[split].append(block)

    def end_chunk(self) -> None:
        """Mark the current chunk as complete; the journal is written every few seconds."""
        self.parts += 1
        if time.monotonic() - self._saved >= SECONDS:
            self.save()

    def save(self) -> None:
        """Flush the files to disk, then write the journal."""
        for split in self._splits.values():
            split.flush()
        images = {name: split.written for name, split in self._splits.items()}
        journal = Journal(source=self._source, parts=self.parts, images=images, files=self.hashes())
        write_json(self._folder / JOURNAL, journal.with_own_hash().model_dump())
        self._saved = time.monotonic()

    def close(self) -> None:
        """Close the files. Idempotent."""
        for split in self._splits.values():
            split.close()

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of all files so far, as they were written."""
        return {name: sha256 for split in self._splits.values() for name, sha256 in split.hashes().items()}

    def shapes(self) -> dict[str, list[int]]:
        """Return the shapes of all files.

        Raises `DataError` if examples are missing.
        """
        return {name: shape for split in self._splits.values() for name, shape in split.shapes().items()}


def _trusted(data: Dataset, folder: Path, source: str) -> Journal | None:
    """Return the journal of a draft if it has this source and its files are intact, else None.

    Warns, naming the file, if one is damaged.
    """
    path = folder / JOURNAL
    try:
        journal = Journal.model_validate(read_json(path))
    except FileNotFoundError:
        return None
    except (ValidationError, StoreError):
        log.warning("%s is damaged: the preparation starts again", path)
        return None
    if journal.source != source or not source or journal.images.keys() != data.splits.keys():
        return None
    if journal != journal.with_own_hash():
        log.warning("%s is damaged: the preparation starts again", path)
        return None
    for split, images in journal.images.items():
        for name, (shape, dtype) in _described(data, split).items():
            if begun_sha256(folder / name, shape, dtype, images) != journal.files.get(name, ""):
                log.warning("%s is damaged: the preparation starts again", folder / name)
                return None
    return journal


def _described(data: Dataset, split: str) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return the shape and dtype of the files of a split."""
    stored, count = data.stored, data.splits[split]
    return {name: ((count, *stored[field].shape), stored[field].dtype) for field, name in files_of(data, split).items()}


class _Split:
    """The growing files of a split; every block is validated."""

    def __init__(self, data: Dataset, split: str, folder: Path, kept: int) -> None:
        self.written = kept
        self._data = data
        self._name = split
        described = _described(data, split)
        self._writers = {
            field: ArrayWriter(folder / name, *described[name], kept) for field, name in files_of(data, split).items()
        }

    def append(self, block: Block) -> None:
        """Append a block.

        Raises `DataError` if it does not match the dataset, or the split is full.
        """
        if complaint := complaint_of(block.arrays, self._data.stored):
            raise self._refusal(complaint)
        count = self._data.splits[self._name]
        self.written += len(block.arrays[self._data.inputs])
        if self.written > count:
            raise self._refusal(f"has more than its {count:,} examples")
        for field, writer in self._writers.items():
            writer.append(block.arrays[field])

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of the files so far."""
        names = files_of(self._data, self._name)
        return {names[field]: writer.sha256 for field, writer in self._writers.items()}

    def flush(self) -> None:
        """Flush the files to disk."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Flush the files to disk and close them."""
        for writer in self._writers.values():
            writer.close()

    def shapes(self) -> dict[str, list[int]]:
        """Return the shapes of the files.

        Raises `DataError` if examples are missing.
        """
        count = self._data.splits[self._name]
        if self.written != count:
            raise self._refusal(f"has {self.written:,} examples, not {count:,}")
        return {name: list(shape) for name, (shape, _) in _described(self._data, self._name).items()}

    def _refusal(self, why: str) -> DataError:
        return DataError(f"{self._data.name}: split {self._name} {why}; nothing was prepared")
