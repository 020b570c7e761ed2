"""Prepares datasets atomically, in one process at a time, with little memory.

Files are written into a draft in the dataset's folder, then moved into place, the manifest last. A folder without a
manifest is ignored. An interrupted or killed preparation leaves its draft, which the next one resumes; a failed one
leaves nothing.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.config.dataset import Dataset
from harness.data.prepared.blocks import Block, Chunk, Report, as_chunks
from harness.data.prepared.manifest import FILE, DatasetManifest
from harness.data.prepared.partial import PartialDataset
from harness.store.files import writing

DRAFT = ".preparing"
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class DatasetSource:
    """The source of a dataset: blocks or chunks, each split in order, and the SHA-256 of its original archives.

    `source` identifies everything that determines the output of the chunks, so that an interrupted preparation can
    resume; if empty, it restarts. `revision` is the revision of the reader.
    """

    parts: Iterable[Block | Chunk]
    archives: Mapping[str, str]
    source: str = ""
    revision: int = 1


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def prepare(data: Dataset, root: Path, source: Callable[[], DatasetSource], report: Report = silent) -> bool:
    """Prepare a dataset and return True; return False, without calling `source`, if it is already prepared.

    Raises `DataError`, leaving no files, if the fields, shapes, counts or values of the source do not match the
    dataset.
    """
    folder = root / data.name
    if (folder / FILE).exists():
        return False
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    waiting = f"waiting for another process that prepares {data.name}"
    with exclusive_lock(folder / ".lock", lambda: report(waiting, 0, 0)):
        if (folder / FILE).exists():
            return False
        wanted, draft = source(), folder / DRAFT
        try:
            shapes, hashes = _fill(data, draft, wanted, report)
            _move(data, draft, folder, shapes, hashes, wanted)
        except Exception:  # KeyboardInterrupt is not an Exception, and keeps the draft
            shutil.rmtree(draft, ignore_errors=True)
            raise
        shutil.rmtree(draft, ignore_errors=True)
    return True


@contextmanager
def exclusive_lock(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; call `wait` immediately and then every second while another process holds it."""
    lock, patience = FileLock(path), 0.0
    with writing(path):
        while not lock.is_locked:
            try:
                lock.acquire(timeout=patience)
            except Timeout:
                wait()
                patience = WAIT_SECONDS
    try:
        yield
    finally:
        lock.release()


def _fill(
    data: Dataset, folder: Path, source: DatasetSource, report: Report
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Write the missing chunks of a draft, and return the shapes and hashes of its files, as they were written."""
    total = sum(data.splits.values())
    draft = PartialDataset(data, folder, source.source)
    try:
        done = draft.parts
        for number, part in enumerate(as_chunks(source.parts)):
            if number < done:
                continue
            for block in part():
                draft.append(block)
                report(f"preparing {data.name}", draft.examples, total)
            draft.end_chunk()
        shapes = draft.shapes()
        draft.save()
    finally:
        draft.close()
    return shapes, draft.hashes()


def _move(
    data: Dataset,
    draft: Path,
    folder: Path,
    shapes: dict[str, list[int]],
    files: dict[str, str],
    source: DatasetSource,
) -> None:
    """Move the files of a complete draft into place, then write the manifest."""
    with writing(folder):
        for name in files:
            os.replace(draft / name, folder / name)
    archives, revision = dict(source.archives), source.revision
    DatasetManifest(name=data.name, files=files, shapes=shapes, archives=archives, revision=revision).save(folder)
