"""From a place where the archives of a dataset lie to what it is prepared from."""

from importlib.metadata import version
from pathlib import Path

from harness.data.blocks import Report
from harness.data.errors import DataError, reading
from harness.data.originals.archive import Check, locate
from harness.data.originals.download import download
from harness.data.originals.sources import source_of
from harness.data.preparing import Content
from harness.spec.config import sha256_of_json
from harness.spec.data import Dataset


def original(data: Dataset, path: Path, check: Check, report: Report) -> Content:
    """Return the content of a dataset whose archives are at `path`, each accepted by `check`.

    Raises `DataError` when an archive is missing or refused.
    """
    source = source_of(data)
    archives = source.needed(data)
    files = locate(archives, path)
    hashes = {files[a.name].name: check(a, files[a.name], report) for a in archives}
    decided_by = {
        "data": data.digest,
        "archives": hashes,
        "files": [_listing(path) for path in files.values() if path.is_dir()],
        "revision": source.revision,
        "pillow": version("pillow"),
    }
    return Content(source.read(data, files), hashes, sha256_of_json(decided_by))


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return the files of a folder, which has no hash, with sizes and dates."""
    with reading(folder):
        found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
    return [(str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns) for path, stat in found]


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
