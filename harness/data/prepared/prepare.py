"""Writing the prepared form of a dataset: whole or not at all, by one process at a time, in little memory.

Everything is written into a draft inside the dataset's folder, and moved into place with the manifest last. What has no
manifest does not count. An interrupted or killed preparation leaves the draft, and the next one goes on with it; one
that fails leaves nothing.
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
from harness.store.files import sha256_of, writing

DRAFT = ".preparing"
WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class DatasetSource:
    """What a dataset is prepared from: blocks or parts, each split in order, and the SHA-256 of its original archives.

    `source` names everything that decides what the parts give, so that an interrupted preparation can go on after those
    that are done; an empty one makes it begin anew. `revision` is that of the reader.
    """

    parts: Iterable[Block | Chunk]
    archives: Mapping[str, str]
    source: str = ""
    revision: int = 1


def silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def prepare(data: Dataset, root: Path, source: Callable[[], DatasetSource], report: Report = silent) -> bool:
    """Prepare a dataset and return True; return False, without asking for the content, when it is prepared already.

    Raises `DataError` when the content has other fields, shapes, counts or values than the dataset; then nothing is
    left.
    """
    folder = root / data.name
    if (folder / FILE).exists():
        return False
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / ".lock", lambda: report(f"waiting for another process that prepares {data.name}", 0, 0)):
        if (folder / FILE).exists():
            return False
        wanted, draft = source(), folder / DRAFT
        try:
            shapes = _fill(data, draft, wanted, report)
            _move(data, draft, folder, shapes, wanted)
        except Exception:  # an interruption is none, and leaves the draft
            shutil.rmtree(draft, ignore_errors=True)
            raise
        shutil.rmtree(draft, ignore_errors=True)
    return True


@contextmanager
def alone(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file; call `wait` at once and every second while another process has it."""
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


def _fill(data: Dataset, folder: Path, source: DatasetSource, report: Report) -> dict[str, list[int]]:
    """Write the parts that a draft lacks, and return the shapes of its files."""
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
    return shapes


def _move(data: Dataset, draft: Path, folder: Path, shapes: dict[str, list[int]], source: DatasetSource) -> None:
    """Move the files of a full draft into place, and then write the manifest."""
    files = {name: sha256_of(draft / name) for name in shapes}
    with writing(folder):
        for name in files:
            os.replace(draft / name, folder / name)
    archives, revision = dict(source.archives), source.revision
    DatasetManifest(name=data.name, files=files, shapes=shapes, archives=archives, revision=revision).save(folder)
