"""Locates original archives, and verifies them or accepts them unverified."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.data.errors import DataError, reading
from harness.data.prepared.blocks import Report
from harness.data.registry import Archive
from harness.regular_files import open_regular

PIECE = 2**22
SPELLED = {"sha256": "SHA-256", "md5": "MD5"}


Check = Callable[[Archive, Path, Report], str]
"""Accepts a file as an archive and returns its SHA-256, or raises `DataError`."""


def verified(archive: Archive, path: Path, report: Report) -> str:
    """Return the SHA-256 of a file after verifying its size and hash.

    Raises `DataError` with the expected values on a mismatch.
    """
    if archive.size is None:
        raise DataError(f"there is no known hash for {path}: accept it as it is with --unverified")
    sha256, complaint = compare(archive, path, report)
    if complaint:
        raise DataError(
            f"{path} is not {archive.name}: {complaint}; get the file again, or accept it as it is with --unverified"
        )
    return sha256


def compare(archive: Archive, path: Path, report: Report) -> tuple[str, str]:
    """Return the SHA-256 of a file, and how it differs from the archive (an empty string if it does not).

    A file of another size is not hashed: its hash is an empty string.
    """
    with reading(path):
        size = path.stat().st_size
    if size != archive.size:
        return "", f"it has {size:,} bytes, the original has {archive.size:,}"
    published = {name: value for name, value in (("sha256", archive.sha256), ("md5", archive.md5)) if value}
    found = _hashes(path, report, {"sha256", *published})
    for name, expected in published.items():
        if found[name] != expected:
            return found["sha256"], f"its {SPELLED[name]} is {found[name]}, the original's is {expected}"
    return found["sha256"], ""


def unverified(archive: Archive, path: Path, report: Report) -> str:
    """Return the SHA-256 of any file; for a folder, a note that it has none."""
    return "none: a folder" if path.is_dir() else _hashes(path, report, {"sha256"})["sha256"]


def locate(archives: tuple[Archive, ...], path: Path) -> dict[str, Path]:
    """Return the path of each archive by its first name: in the folder `path`, or next to the file `path`.

    A single archive may have any file name, because its hash identifies it. Raises `DataError` if one is missing.
    """
    if len(archives) == 1 and (path.is_file() or archives[0].size is None):
        return {archives[0].name: path}
    folder, found = path if path.is_dir() else path.parent, dict[str, Path]()
    for archive in archives:
        candidates = [folder / name for name in (archive.name, *archive.other_names)]
        existing = next((candidate for candidate in candidates if candidate.is_file()), None)
        if existing is None:
            where = f": it is at {archive.url}" if archive.url else ""
            raise DataError(f"{folder} holds no {' or '.join(c.name for c in candidates)}{where} (docs/data.md)")
        found[archive.name] = existing
    return found


def _hashes(path: Path, report: Report, names: Iterable[str]) -> dict[str, str]:
    """Compute several hashes of a file in one pass, by name."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    done = 0
    with reading(path), open_regular(path) as file:
        total = path.stat().st_size
        while piece := file.read(PIECE):
            for one in hashes.values():
                one.update(piece)
            done += len(piece)
            report(f"checking {path.name}", done, total)
    return {name: one.hexdigest() for name, one in hashes.items()}
