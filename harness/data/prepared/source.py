"""Opens the source from which a dataset is prepared, with the hash of everything that determines its values."""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from inspect import getsource
from pathlib import Path
from typing import Any

from harness.config.base import sha256_of_json
from harness.config.dataset import Dataset
from harness.config.resolve import resolve
from harness.data.errors import DataError, reading
from harness.data.folders import files_in
from harness.data.prepared.prepare import DatasetSource
from harness.data.registry import Source, source_of
from harness.errors import given


def embedded(data: Dataset) -> DatasetSource:
    """Return the source of a dataset that is made from an installed package.

    Raises `DataError` if the dataset has no reader.
    """
    return read_source(data, readable(data), {}, {})


def readable(data: Dataset) -> Source:
    """Return the registered source of a dataset.

    Raises `DataError` if it has no reader.
    """
    source = source_of(data)
    if source is None or not source.reader:
        raise DataError(f"dataset '{data.name}' has no reader in this version")
    return source


def read_source(data: Dataset, source: Source, files: Mapping[str, Path], hashes: Mapping[str, str]) -> DatasetSource:
    """Call the reader of a source on its archives `files`, and return its blocks or chunks with the hashes.

    Raises `DataError` if the reader returns no iterable.
    """
    read = resolve(source.reader)
    determined_by = {
        "data": data.digest,
        "archives": dict(hashes),
        "files": [_listing(path) for path in files.values() if path.is_dir()],
        "revision": source.revision,
        "reader": [source.reader, _code_of(read)],
        "pillow": version("pillow"),
    }
    parts = read(data, files)
    if not isinstance(parts, Iterable):
        raise DataError(f"{data.name}: its reader {source.reader} returns {given(parts)}, not blocks or chunks")
    return DatasetSource(parts, hashes, sha256_of_json(determined_by), source.revision)


def _code_of(read: Any) -> str:
    """Return the hash of a reader's module: drafts of an edited reader are not resumed.

    The module may be in a zip archive, as in cluster jobs. Returns an empty string if there is no source.
    """
    try:
        return hashlib.sha256(getsource(sys.modules[read.__module__]).encode()).hexdigest()
    except (AttributeError, KeyError, OSError, TypeError):
        return ""


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return the regular files of a folder with sizes and timestamps, in place of a hash."""
    found = []
    for path in files_in(folder):
        if path.is_file():
            with reading(path):
                status = path.stat()
            found.append((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns))
    return found
