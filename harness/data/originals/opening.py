"""From a place where the archives of a dataset lie to what it is prepared from."""

from pathlib import Path

from harness.data.blocks import Report
from harness.data.errors import DataError
from harness.data.originals.archive import Check, locate
from harness.data.originals.download import download
from harness.data.originals.sources import source_of
from harness.data.preparing import Content
from harness.spec.data import Dataset


def original(data: Dataset, path: Path, check: Check, report: Report) -> Content:
    """Return the content of a dataset whose archives are at `path`, each accepted by `check`.

    Raises `DataError` when an archive is missing or refused.
    """
    source = source_of(data)
    archives = source.needed(data)
    files = locate(archives, path)
    hashes = {files[a.name].name: check(a, files[a.name], report) for a in archives}
    return Content(source.read(data, files), hashes)


def fetch(data: Dataset, folder: Path, report: Report) -> None:
    """Download the archives of a dataset that the folder does not hold yet.

    Raises `DataError` when the authors do not let programs do that, or a download fails.
    """
    source = source_of(data)
    archives = source.needed(data)
    for archive in archives:
        if not archive.url and not (folder / archive.name).exists():
            raise DataError(
                f"{archive.name} of '{data.name}' cannot be downloaded by a program: get it from {source.page}, "
                f"then give its folder with --from"
            )
    for archive in archives:
        if archive.url:
            download(archive, folder, report)
