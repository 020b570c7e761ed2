"""Finds, checks and downloads the archives of a dataset."""

from pathlib import Path

from harness.config.dataset import Dataset
from harness.data.errors import DataError
from harness.data.originals.archive import Check, locate
from harness.data.originals.download import download
from harness.data.prepared.blocks import Report
from harness.data.prepared.prepare import DatasetSource
from harness.data.prepared.source import read_source, readable


def original(data: Dataset, path: Path, check: Check, report: Report) -> DatasetSource:
    """Return the source of a dataset with archives at `path`, each accepted by `check`.

    Raises `DataError` if an archive is missing or rejected, or the dataset has no reader.
    """
    source = readable(data)
    archives = source.needed(data)
    files = locate(archives, path)
    hashes = {files[a.name].name: check(a, files[a.name], report) for a in archives}
    return read_source(data, source, files, hashes)


def fetch(data: Dataset, folder: Path, report: Report) -> None:
    """Download the missing archives of a dataset into a folder.

    Raises `DataError` if an archive has no public download, or a download fails.
    """
    source = readable(data)
    archives = source.needed(data)
    for archive in archives:
        if not archive.url and not (folder / archive.name).exists():
            where = f"get it from {source.page}, then" if source.page else "get it by hand, then"
            raise DataError(
                f"{archive.name} of '{data.name}' cannot be downloaded by a program: {where} pass its folder with "
                f"--from"
            )
    for archive in archives:
        if archive.url:
            download(archive, folder, report)
