"""Reads untrusted bundles: every file must be listed with the right hash, and nothing is executed."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from zipfile import is_zipfile

from harness.bundle.checks import check
from harness.bundle.manifest import MANIFEST, BundleError, BundleManifest, kind_of
from harness.errors import HarnessError
from harness.store.results import Results
from harness.store.untrusted import reading
from harness.store.zips import open_zip

MAX_TOTAL_BYTES = 2**31
"""The maximum total size of a bundle's files."""
MAX_FILE_BYTES = 2**28
MAX_MANIFEST_BYTES = 2**26
RECORD_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors that a report may raise on malformed records."""


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its results, which exist while it is open, and its manifest."""

    results: Results
    manifest: BundleManifest


class _Source(Protocol):
    """The files of a bundle, read by name with a size limit."""

    @property
    def names(self) -> list[str]: ...

    def size(self, name: str) -> int: ...

    def read(self, name: str, limit: int) -> bytes: ...


@contextmanager
def open_bundle(path: Path, report: Path | None = None) -> Iterator[Bundle]:
    """Verify a bundle (an archive or a folder) and yield it as results that write reports to `report`.

    Its records are copied into a temporary folder, which is deleted afterwards. Raises `BundleError` if a file differs
    from the manifest or is not a valid record, or if no report can be built from the records.
    """
    with _source(path) as source:
        manifest = _verify_names(source, path)
        label = f"bundle {path.name}"
        with tempfile.TemporaryDirectory(prefix="harness-bundle-") as folder:
            for name, content in _verified(source, manifest, path):
                if kind_of(name) != "report":
                    _unpack(Path(folder) / name, content)
            with _blaming(path):
                yield Bundle(Results(Path(folder), report, label), manifest)


def manifest_of(path: Path) -> BundleManifest:
    """Read the manifest of a bundle without verifying the rest."""
    with _source(path) as source:
        return _manifest(source, path)


def is_bundle(path: Path) -> bool:
    """Return whether a path looks like a bundle: an archive, or a folder with a manifest."""
    return (path / MANIFEST).is_file() if path.is_dir() else path.is_file()


@contextmanager
def _source(path: Path) -> Iterator[_Source]:
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.exists():
        raise BundleError(f"{path} does not exist")
    with reading(path, BundleError):
        if not is_zipfile(path):
            raise BundleError(f"{path} is not a bundle: it is neither a zip archive nor a folder")
        if path.stat().st_size > MAX_TOTAL_BYTES:
            raise BundleError(f"{path} has more than {MAX_TOTAL_BYTES:,} bytes: refused")
    with open_zip(path, str(path), MAX_TOTAL_BYTES, BundleError) as archive:
        yield archive


class _Folder:
    """A bundle in a folder of regular files; links and special files are refused."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.names: list[str] = []
        for folder, folders, names in os.walk(root):
            for name in (*folders, *names):
                path = Path(folder) / name
                kind = stat.S_IFMT(path.lstat().st_mode)
                if kind == stat.S_IFREG:
                    self.names.append(path.relative_to(root).as_posix())
                elif kind != stat.S_IFDIR:
                    raise BundleError(f"{root}: '{path.relative_to(root)}' is not a regular file: refused")

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._root / name).stat().st_size

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file of at most `limit` bytes."""
        with reading(self._root / name, BundleError), open(self._root / name, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise BundleError(f"{self._root}: {name} has more than {limit:,} bytes: refused")
        return content


def _manifest(source: _Source, path: Path) -> BundleManifest:
    if MANIFEST not in source.names:
        raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}")
    return BundleManifest.read(source.read(MANIFEST, MAX_MANIFEST_BYTES), str(path))


def _verify_names(source: _Source, path: Path) -> BundleManifest:
    """Return the manifest after checking that it lists exactly the files of the bundle and that names are allowed."""
    manifest = _manifest(source, path)
    names = set(source.names) - {MANIFEST}
    if missing := sorted(manifest.files.keys() - names):
        raise BundleError(f"{path} has no {missing[0]}, which its manifest lists")
    if unlisted := sorted(names - manifest.files.keys()):
        raise BundleError(f"{path} contains {unlisted[0]!r}, which its manifest does not list: refused")
    for name in sorted(names):
        if kind_of(name) is None:
            raise BundleError(f"{path} contains {name!r}, which is not a file of a bundle: refused")
        if name.startswith("runs/") and not _has_config(name, names):
            raise BundleError(f"{path}: {name} belongs to a run without config.json")
    folded = sorted(names, key=str.casefold)
    for one, other in pairwise(folded):
        if one.casefold() == other.casefold():
            raise BundleError(f"{path}: {one} and {other} differ only in case: refused")
    if (total := sum(file.bytes for file in manifest.files.values())) > MAX_TOTAL_BYTES:
        raise BundleError(f"{path} has {total:,} bytes in all, more than the limit of {MAX_TOTAL_BYTES:,}")
    return manifest


def _has_config(name: str, names: set[str]) -> bool:
    return f"runs/{name.split('/')[1]}/config.json" in names


def _verified(source: _Source, manifest: BundleManifest, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a bundle, each checked against the manifest and validated by its kind."""
    for name, file in manifest.files.items():
        if source.size(name) != file.bytes:
            raise BundleError(f"{path}: {name} has {source.size(name):,} bytes, its manifest says {file.bytes:,}")
        if file.bytes > MAX_FILE_BYTES:
            raise BundleError(f"{path}: {name} has {file.bytes:,} bytes, more than the limit of {MAX_FILE_BYTES:,}")
        content = source.read(name, file.bytes)
        if (found := hashlib.sha256(content).hexdigest()) != file.sha256:
            raise BundleError(f"{path}: {name} is damaged or changed: its SHA-256 {found[:12]}... is not as listed")
        try:
            check(str(kind_of(name)), name, content)
        except ValueError as error:
            raise BundleError(f"{path}: {name}: {' '.join(str(error).split())[:200]}: refused") from None
        yield name, content


def _unpack(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as file:
            file.write(content)
    except OSError as error:
        raise BundleError(f"cannot unpack to {path}: {error.strerror}; set TMPDIR to another folder") from None


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Blame the bundle for errors in building a report: well-formed records may have any content."""
    try:
        yield
    except HarnessError:
        raise
    except RECORD_ERRORS as error:
        reason = " ".join(str(error).split())[:160]
        raise BundleError(f"{path} contains records that cannot be shown ({type(error).__name__}: {reason})") from error
