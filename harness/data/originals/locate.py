"""From a place where the archives of a dataset lie to what it is prepared from."""

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
from harness.data.originals.archive import Check, locate
from harness.data.originals.download import download
from harness.data.prepared.blocks import Report
from harness.data.prepared.prepare import DatasetSource
from harness.data.registry import Source, source_of
from harness.errors import given


def original(data: Dataset, path: Path, check: Check, report: Report) -> DatasetSource:
    """Return the content of a dataset whose archives are at `path`, each accepted by `check`.

    Raises `DataError` when an archive is missing or refused, or nobody reads the dataset.
    """
    source = readable(data)
    archives = source.needed(data)
    files = locate(archives, path)
    hashes = {files[a.name].name: check(a, files[a.name], report) for a in archives}
    return _content(data, source, files, hashes)


def embedded(data: Dataset) -> DatasetSource:
    """Return the content of a dataset that is made of what an installed package carries.

    Raises `DataError` when nobody reads the dataset.
    """
    return _content(data, readable(data), {}, {})


def readable(data: Dataset) -> Source:
    """Return where a dataset comes from.

    Raises `DataError` when nobody knows how to read it.
    """
    source = source_of(data)
    if source is None or not source.reader:
        raise DataError(f"dataset '{data.name}' has no reader in this version")
    return source


def _content(data: Dataset, source: Source, files: Mapping[str, Path], hashes: Mapping[str, str]) -> DatasetSource:
    read = resolve(source.reader)
    decided_by = {
        "data": data.digest,
        "archives": dict(hashes),
        "files": [_listing(path) for path in files.values() if path.is_dir()],
        "revision": source.revision,
        "reader": [source.reader, _code_of(read)],
        "pillow": version("pillow"),
    }
    parts = read(data, files)
    if not isinstance(parts, Iterable):
        raise DataError(f"{data.name}: its reader {source.reader} returns {given(parts)}, not blocks or parts")
    return DatasetSource(parts, hashes, sha256_of_json(decided_by), source.revision)


def _code_of(read: Any) -> str:
    """Return the hash of the module that a reader stands in: what an edited one has begun is not gone on with.

    The module may be in an archive, as in jobs of a cluster. It is empty where there is no source.
    """
    try:
        return hashlib.sha256(getsource(sys.modules[read.__module__]).encode()).hexdigest()
    except (AttributeError, KeyError, OSError, TypeError):
        return ""


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return the files of a folder, which has no hash, with sizes and dates."""
    with reading(folder):
        found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
    return [(str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns) for path, stat in found]


def fetch(data: Dataset, folder: Path, report: Report) -> None:
    """Download the archives of a dataset that the folder does not hold yet.

    Raises `DataError` when the authors do not let programs do that, or a download fails.
    """
    source = readable(data)
    archives = source.needed(data)
    for archive in archives:
        if not archive.url and not (folder / archive.name).exists():
            where = f"get it from {source.page}, then" if source.page else "get it by hand, then"
            raise DataError(
                f"{archive.name} of '{data.name}' cannot be downloaded by a program: {where} give its folder with "
                f"--from"
            )
    for archive in archives:
        if archive.url:
            download(archive, folder, report)
