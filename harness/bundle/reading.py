"""Reads untrusted bundles: every file must be listed with the right hash, and nothing is executed."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Protocol
from zipfile import is_zipfile

from harness.bundle.checks import check
from harness.bundle.manifest import MANIFEST, BundleError, BundleManifest, Excerpt, kind_of
from harness.errors import HarnessError
from harness.regular_files import DOCUMENT_BYTES, open_regular, open_unlinked
from harness.store.artefacts import recorded_sha256
from harness.store.curves import MAX_CURVE_BYTES
from harness.store.hashed import write_hash
from harness.store.results import Results
from harness.store.untrusted import reading
from harness.store.zips import PIECE, Zip, open_zip

MAX_TOTAL_BYTES = 2**31
"""The maximum total size of a bundle's files."""
MAX_BYTES = {"array": 2**28, "report": 2**28, "curve": MAX_CURVE_BYTES, "log": 2**22}
"""The maximum size of a file by kind; records are read at once, and have at most `DOCUMENT_BYTES`."""
MAX_RECORD_BYTES = 2**25
"""The maximum total size of the records, which a report keeps in memory."""
MAX_MANIFEST_BYTES = 2**23
RECORD_ERRORS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Errors that a report may raise on malformed records."""


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its results, which exist while it is open, and its manifest."""

    results: Results
    manifest: BundleManifest


class _Source(Protocol):
    """The files of a bundle, opened by name; `odd` are the names of links and special files."""

    @property
    def names(self) -> Collection[str]: ...

    @property
    def odd(self) -> Collection[str]: ...

    def size(self, name: str) -> int: ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]: ...


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
            _unpack(source, manifest, path, Path(folder))
            for name in manifest.excerpts.keys() & manifest.files.keys():
                _vouch_for_excerpt(Path(folder) / name, manifest.excerpts[name])
            with _blaming(path):
                yield Bundle(Results(Path(folder), report, label), manifest)


def largest(kind: str) -> int:
    """Return the maximum size of a file of this kind in bytes."""
    return MAX_BYTES.get(kind, DOCUMENT_BYTES)


def manifest_of(path: Path) -> BundleManifest:
    """Read the manifest of a bundle without verifying the rest."""
    with _source(path) as source:
        return _manifest(source, path)


def is_bundle(path: Path) -> bool:
    """Return whether a path looks like a bundle: an archive, or a folder with a manifest."""
    return is_bundle_folder(path) if path.is_dir() else path.is_file()


def is_bundle_folder(path: Path) -> bool:
    """Return whether a path looks like a folder with a manifest."""
    return (path / MANIFEST).is_file()


@contextmanager
def _source(path: Path) -> Iterator[_Source]:
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.exists():
        raise BundleError(f"{path} does not exist")
    with reading(path, BundleError):
        file = open_regular(path)
    with file:
        with reading(path, BundleError):
            whole = is_zipfile(file)
        if not whole:
            raise BundleError(f"{path} is not a bundle: it is neither a zip archive nor a folder")
        if os.fstat(file.fileno()).st_size > MAX_TOTAL_BYTES:
            raise BundleError(f"{path} has more than {MAX_TOTAL_BYTES:,} bytes: refused")
        with open_zip(file, str(path), MAX_TOTAL_BYTES, BundleError) as archive:
            yield _Archive(archive)


class _Archive:
    """A bundle in a zip archive."""

    odd = ()

    def __init__(self, archive: Zip) -> None:
        self._archive = archive
        self.names = archive.names
        self.size = archive.size
        self.open = archive.open


class _Folder:
    """A bundle in a folder; links are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.names: list[str] = []
        self.odd: list[str] = []
        for folder, folders, names in os.walk(root):
            for name in (*folders, *names):
                path = Path(folder) / name
                kind = stat.S_IFMT(path.lstat().st_mode)
                if kind != stat.S_IFDIR:
                    found = self.names if kind == stat.S_IFREG else self.odd
                    found.append(path.relative_to(root).as_posix())

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._root / name).stat().st_size

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file."""
        with reading(self._root / name, BundleError), open_unlinked(self._root / name) as file:
            yield file


def _manifest(source: _Source, path: Path) -> BundleManifest:
    if MANIFEST not in source.names:
        raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}")
    with source.open(MANIFEST) as stream:
        content = stream.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path} is not a bundle: its {MANIFEST} has more than {MAX_MANIFEST_BYTES:,} bytes: refused")
    return BundleManifest.read(content, str(path))


def _verify_names(source: _Source, path: Path) -> BundleManifest:
    """Return the manifest after checking that it lists the records of the bundle and that its names are allowed.

    Other files, such as written reports and notes of file managers, are passed over: nothing reads them.
    """
    manifest = _manifest(source, path)
    listed, names = manifest.files.keys(), set(source.names)
    for name in sorted(source.odd):
        if not name.rpartition("/")[2].startswith("."):  # editors lock files with hidden links
            raise BundleError(f"{path}: '{name}' is not a regular file: refused")
    if missing := sorted(listed - names):
        raise BundleError(f"{path} has no {missing[0]}, which its manifest lists")
    if unlisted := sorted(filter(_is_record, names - listed)):
        raise BundleError(f"{path} contains {unlisted[0]!r}, which its manifest does not list: refused")
    for name in sorted(listed):
        if kind_of(name) is None:
            raise BundleError(f"{path} contains {name!r}, which is not a file of a bundle: refused")
        if name.startswith("runs/") and not _has_config(name, listed):
            raise BundleError(f"{path}: {name} belongs to a run without config.json")
    folded = sorted(listed, key=str.casefold)
    for one, other in pairwise(folded):
        if one.casefold() == other.casefold():
            raise BundleError(f"{path}: {one} and {other} differ only in case: refused")
    _verify_sizes(manifest, path)
    return manifest


def _is_record(name: str) -> bool:
    return kind_of(name) not in (None, "report")


def _verify_sizes(manifest: BundleManifest, path: Path) -> None:
    records, total = 0, sum(file.bytes for file in manifest.files.values())
    if total > MAX_TOTAL_BYTES:
        raise BundleError(f"{path} has {total:,} bytes in all, more than the limit of {MAX_TOTAL_BYTES:,}")
    for name, file in manifest.files.items():
        kind = str(kind_of(name))
        limit = largest(kind)
        if file.bytes > limit:
            raise BundleError(f"{path}: {name} has {file.bytes:,} bytes, more than the limit of {limit:,}")
        records += 0 if kind in MAX_BYTES else file.bytes
    if records > MAX_RECORD_BYTES:
        raise BundleError(f"{path} has {records:,} bytes of records, more than the limit of {MAX_RECORD_BYTES:,}")


def _has_config(name: str, names: Collection[str]) -> bool:
    return f"runs/{name.split('/')[1]}/config.json" in names


def _unpack(source: _Source, manifest: BundleManifest, path: Path, folder: Path) -> None:
    """Copy the files of a bundle except reports, each checked against the manifest and validated by its kind."""
    for name, file in manifest.files.items():
        if source.size(name) != file.bytes:
            raise BundleError(f"{path}: {name} has {source.size(name):,} bytes, its manifest says {file.bytes:,}")
        copy = folder / name
        with source.open(name) as stream:
            found = _copied(stream, copy, file.bytes)
        if found != file.sha256:
            raise BundleError(f"{path}: {name} is damaged or changed: its SHA-256 {found[:12]}... is not as listed")
        try:
            check(str(kind_of(name)), name, copy)
        except (ValueError, OSError) as error:
            raise BundleError(f"{path}: {name}: {' '.join(str(error).split())[:200]}: refused") from None
    shutil.rmtree(folder / "report", ignore_errors=True)


def _copied(stream: IO[bytes], copy: Path, size: int) -> str:
    """Copy a stream of at most `size` bytes in pieces, and return its SHA-256."""
    digest, left = hashlib.sha256(), size
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        file = open(copy, "xb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise _no_room(copy, error) from None
    with file:
        while left > 0 and (piece := stream.read(min(left, PIECE))):
            digest.update(piece)
            left -= len(piece)
            try:
                file.write(piece)
            except OSError as error:
                raise _no_room(copy, error) from None
    return digest.hexdigest()


def _no_room(copy: Path, error: OSError) -> BundleError:
    return BundleError(f"cannot unpack to {copy}: {error.strerror}; set TMPDIR to another folder")


def _vouch_for_excerpt(path: Path, excerpt: Excerpt) -> None:
    """Write the hash of a verified part of an array beside it, if the whole is the one that its record states."""
    if path.exists() and excerpt.sha256 is not None and excerpt.sha256 == recorded_sha256(path):
        write_hash(path)


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
