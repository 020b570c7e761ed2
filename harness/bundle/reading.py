"""Reads bundles that nobody vouches for: every file listed, every hash right, nothing beside it, nothing executed."""

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

TOTAL = 2**31
"""Bytes that all files of a bundle may come to."""
ONE_FILE = 2**28
MANIFEST_BYTES = 2**26
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Bundle:
    """An open bundle: its results, which last as long as it is open, and its manifest."""

    results: Results
    manifest: BundleManifest


class _Source(Protocol):
    """Where the files of a bundle are read from, by names and within bounds."""

    @property
    def names(self) -> list[str]: ...

    def size(self, name: str) -> int: ...

    def read(self, name: str, limit: int) -> bytes: ...


@contextmanager
def open_bundle(path: Path, report: Path | None = None) -> Iterator[Bundle]:
    """Verify a bundle, an archive or a folder, and open it as results; reports of it are written to `report`.

    It is copied into a temporary folder, which is gone afterwards. Raises `BundleError` when anything in it
    is not what its manifest says, and when records are so formed that no report can be made of them.
    """
    with _source(path) as source:
        manifest = _verify_names(source, path)
        label = f"bundle {path.name}"
        with tempfile.TemporaryDirectory(prefix="harness-bundle-") as folder:
            for name, content in _verified(source, manifest, path):
                if kind_of(name) != "report":
                    _unpack(Path(folder) / name, content)
            with _blamed(path):
                yield Bundle(Results(Path(folder), report, label), manifest)


def manifest_of(path: Path) -> BundleManifest:
    """Read the manifest of a bundle without verifying the rest."""
    with _source(path) as source:
        return _manifest(source, path)


def is_bundle(path: Path) -> bool:
    """Tell whether a path looks like a bundle: an archive, or a folder with a manifest."""
    return (path / MANIFEST).is_file() if path.is_dir() else path.is_file()


@contextmanager
def _source(path: Path) -> Iterator[_Source]:
    if path.is_dir():
        yield _Folder(path)
        return
    if not path.exists():
        raise BundleError(f"there is no {path}")
    with reading(path, BundleError):
        if not is_zipfile(path):
            raise BundleError(f"{path} is no bundle: it is neither a zip archive nor a folder")
        if path.stat().st_size > TOTAL:
            raise BundleError(f"{path} has more than {TOTAL:,} bytes: refused")
    with open_zip(path, str(path), TOTAL, BundleError) as archive:
        yield archive


class _Folder:
    """A bundle that is a folder of plain files; links and whatever is no file are refused."""

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
                    raise BundleError(f"{root}: '{path.relative_to(root)}' is no plain file: refused")

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._root / name).stat().st_size

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file, which must not have more than `limit` bytes."""
        with reading(self._root / name, BundleError), open(self._root / name, "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise BundleError(f"{self._root}: {name} has more than {limit:,} bytes: refused")
        return content


def _manifest(source: _Source, path: Path) -> BundleManifest:
    if MANIFEST not in source.names:
        raise BundleError(f"{path} is no bundle: it holds no {MANIFEST}")
    return BundleManifest.read(source.read(MANIFEST, MANIFEST_BYTES), str(path))


def _verify_names(source: _Source, path: Path) -> BundleManifest:
    """Return the manifest, once every file is listed, every listed file is there, and each may be called so."""
    manifest = _manifest(source, path)
    names = set(source.names) - {MANIFEST}
    if missing := sorted(manifest.files.keys() - names):
        raise BundleError(f"{path} lacks {missing[0]}, which its manifest lists")
    if unlisted := sorted(names - manifest.files.keys()):
        raise BundleError(f"{path} holds {unlisted[0]!r}, which its manifest does not list: refused")
    for name in sorted(names):
        if kind_of(name) is None:
            raise BundleError(f"{path} holds {name!r}, which is no file of a bundle: refused")
        if name.startswith("runs/") and not _has_config(name, names):
            raise BundleError(f"{path}: {name} is of a run without config.json")
    folded = sorted(names, key=str.casefold)
    for one, other in pairwise(folded):
        if one.casefold() == other.casefold():
            raise BundleError(f"{path}: {one} and {other} differ in case only: refused")
    if (total := sum(file.bytes for file in manifest.files.values())) > TOTAL:
        raise BundleError(f"{path} comes to {total:,} bytes: more than the {TOTAL:,} that are read")
    return manifest


def _has_config(name: str, names: set[str]) -> bool:
    return f"runs/{name.split('/')[1]}/config.json" in names


def _verified(source: _Source, manifest: BundleManifest, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a bundle, each of which is what the manifest says and holds what its name says."""
    for name, file in manifest.files.items():
        if source.size(name) != file.bytes:
            raise BundleError(f"{path}: {name} has {source.size(name):,} bytes, its manifest says {file.bytes:,}")
        if file.bytes > ONE_FILE:
            raise BundleError(f"{path}: {name} has {file.bytes:,} bytes, more than the {ONE_FILE:,} of any file")
        content = source.read(name, file.bytes)
        if (found := hashlib.sha256(content).hexdigest()) != file.sha256:
            raise BundleError(f"{path}: {name} is damaged or changed: its SHA-256 is {found[:12]}..., not as listed")
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
        raise BundleError(f"cannot unpack to {path}: {error.strerror}; TMPDIR names another place") from None


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Say of what a report cannot be made that it is the bundle's: records of the right form may hold anything."""
    try:
        yield
    except HarnessError:
        raise
    except UNFORESEEN as error:
        reason = " ".join(str(error).split())[:160]
        raise BundleError(f"{path} holds records that cannot be shown ({type(error).__name__}: {reason})") from error
