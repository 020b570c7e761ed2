"""Original archives: where they lie, and the two ways to accept a file as one of them."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.data.errors import DataError, reading
from harness.data.prepared.blocks import Report
from harness.data.registry import Archive

PIECE = 2**22
SPELLED = {"sha256": "SHA-256", "md5": "MD5"}


Check = Callable[[Archive, Path, Report], str]
"""Accepts a file as an archive and returns its SHA-256, or raises `DataError`."""


def verified(archive: Archive, path: Path, report: Report) -> str:
    """Return the SHA-256 of a file that has the size and the hash of the archive.

    Raises `DataError` otherwise, naming what was expected.
    """
    if archive.size is None:
        raise DataError(f"there is no known hash to check {path} by: take it as it is with --unverified")
    sha256, complaint = compare(archive, path, report)
    if complaint:
        raise DataError(
            f"{path} is not {archive.name}: {complaint}; get the file again, or take it as it is with --unverified"
        )
    return sha256


def compare(archive: Archive, path: Path, report: Report) -> tuple[str, str]:
    """Return the SHA-256 of a file and what is wrong with it, nothing where it is the archive."""
    with reading(path):
        size = path.stat().st_size
    if size != archive.size:
        return "", f"it has {size:,} bytes, the original has {archive.size:,}"
    published = {name: value for name, value in (("sha256", archive.sha256), ("md5", archive.md5)) if value}
    found = _hashes(path, report, {"sha256", *published})
    for name, expected in published.items():
        if found[name] != expected:
            return found["sha256"], f"its {SPELLED[name]} is {found[name]}, that of the original {expected}"
    return found["sha256"], ""


def unverified(archive: Archive, path: Path, report: Report) -> str:
    """Return the SHA-256 of any file, or for a folder the words that it has none."""
    return "none: a folder" if path.is_dir() else _hashes(path, report, {"sha256"})["sha256"]


def locate(archives: tuple[Archive, ...], path: Path) -> dict[str, Path]:
    """Return where each archive is, by name: in a folder `path`, or it is `path`, or lies beside it.

    A single archive may have any name, since its hash tells what it is. Raises `DataError` when one is missing.
    """
    if len(archives) == 1 and (path.is_file() or archives[0].size is None):
        return {archives[0].name: path}
    folder = path if path.is_dir() else path.parent
    for archive in archives:
        if not (folder / archive.name).is_file():
            where = f": it is at {archive.url}" if archive.url else ""
            raise DataError(f"{folder} holds no {archive.name}{where} (docs/data.md)")
    return {archive.name: folder / archive.name for archive in archives}


def _hashes(path: Path, report: Report, names: Iterable[str]) -> dict[str, str]:
    """Return the hashes of a file by name, read once."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    done = 0
    with reading(path), open(path, "rb") as file:
        total = path.stat().st_size
        while piece := file.read(PIECE):
            for one in hashes.values():
                one.update(piece)
            done += len(piece)
            report(f"checking {path.name}", done, total)
    return {name: one.hexdigest() for name, one in hashes.items()}
