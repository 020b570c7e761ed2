"""Writes bundles: atomically, and byte for byte reproducibly."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from harness import __version__
from harness.bundle import contents
from harness.bundle.checks import check_record
from harness.bundle.contents import BundleEntry
from harness.bundle.manifest import FORMAT, MANIFEST, SUFFIX, BundleError, BundleManifest, Excerpt, File, kind_of
from harness.bundle.reading import largest, manifest_of
from harness.config.run import SEMANTICS
from harness.report.results.report import ExhibitReport
from harness.store.files import write_atomically, writing
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.store.temporary import sweep_beside, temporary_beside

COMPRESSION = 6
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest timestamp in a zip archive; fixed, so that equal contents give equal bytes."""


def write_bundle(path: Path, reports: Sequence[ExhibitReport], results: Results) -> tuple[BundleManifest, list[str]]:
    """Write the records of some exhibits with a manifest, and return it with the names that were left out.

    A path that ends in `.zip` becomes an archive that includes the written reports, any other path a folder of plain
    files without them. Raises `BundleError` if there is nothing to write, or if `path` exists and is not a bundle.
    Raises `StoreError` if the disk is full; an existing bundle is then kept.
    """
    check_place(path)
    directories = contents.runs(reports, results)
    if not directories:
        raise BundleError(f"{results.root} has no run of these exhibits: nothing to bundle")
    entries: Iterable[BundleEntry] = chain(
        contents.records(directories, results), contents.arrays(reports, results), contents.decisions(reports, results)
    )
    writer = _Writer(reports, directories)
    if path.suffix.lower() == SUFFIX:
        entries = chain(entries, contents.report_files(list(dict.fromkeys(r.paper.name for r in reports)), results))
        write_atomically(path, lambda file: _write_archive(file, writer.register(entries), writer))
    else:
        _write_folder(path, writer.register(entries), writer)
    return writer.manifest(), writer.left_out


def check_place(path: Path) -> None:
    """Raise `BundleError` unless `path` is absent, an empty folder, or exactly one bundle."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        manifest = manifest_of(path)
    except BundleError as error:
        raise BundleError(f"{path} exists and is not a bundle, not replaced: give another name ({error})") from None
    if path.is_dir():
        found = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
        unknown = sorted({item.relative_to(path).as_posix() for item in found} - {MANIFEST, *manifest.files})
        if unknown:
            raise BundleError(f"{path} contains more than its bundle, not replaced: move {unknown[0]} away")


class _Writer:
    """Builds the manifest while files are written; the manifest itself is written last."""

    def __init__(self, reports: Sequence[ExhibitReport], directories: Sequence[RunDirectory]) -> None:
        self._reports = reports
        self._directories = directories
        self._files: dict[str, File] = {}
        self._excerpts: dict[str, Excerpt] = {}
        self.left_out: list[str] = []

    def register(self, entries: Iterable[BundleEntry]) -> Iterator[BundleEntry]:
        """Yield the entries whose names are allowed in a bundle, and add them to the manifest.

        Raises `BundleError` if a reader would refuse one of them.
        """
        for entry in entries:
            kind = kind_of(entry.name)
            if kind is None:
                self.left_out.append(entry.name)
                continue
            _check_readable(kind, entry)
            self._files[entry.name] = File(bytes=len(entry.content), sha256=hashlib.sha256(entry.content).hexdigest())
            if entry.excerpt:
                self._excerpts[entry.name] = entry.excerpt
            yield entry

    def manifest(self) -> BundleManifest:
        """Return the manifest of everything written."""
        return BundleManifest(
            format=FORMAT,
            harness=__version__,
            semantics=SEMANTICS,
            scale=self._reports[0].scale.name,
            exhibits=tuple(report.name for report in self._reports),
            commits=tuple(sorted(set(self._commits()))),
            runs=len(self._directories),
            excerpts=dict(sorted(self._excerpts.items())),
            files=dict(sorted(self._files.items())),
        )

    def content(self) -> bytes:
        """Return the manifest as JSON."""
        return (self.manifest().model_dump_json(indent=1) + "\n").encode()

    def _commits(self) -> Iterator[str]:
        for directory in self._directories:
            for segment in directory.all_segments():
                if segment.commit:
                    yield f"{segment.commit}{' with changes' if segment.dirty else ''}"


def _check_readable(kind: str, entry: BundleEntry) -> None:
    if len(entry.content) > largest(kind):
        why = f"it has {len(entry.content):,} bytes, more than the limit of {largest(kind):,}"
        raise BundleError(f"cannot bundle {entry.name}: {why}")
    try:
        check_record(kind, entry.name, entry.content)
    except ValueError as error:
        raise BundleError(f"cannot bundle {entry.name}, since readers would refuse it: {error}") from None


def _write_archive(file: IO[bytes], entries: Iterable[BundleEntry], writer: _Writer) -> None:
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        for entry in entries:
            archive.writestr(_info(entry.name), entry.content)
        archive.writestr(_info(MANIFEST), writer.content())


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.create_system = 3  # Unix on every platform, for reproducible bytes
    info.external_attr = 0o100644 << 16
    return info


def _write_folder(path: Path, entries: Iterable[BundleEntry], writer: _Writer) -> None:
    """Write a temporary folder beside `path` and rename it."""
    new = temporary_beside(path)
    old = new.with_name(f"{new.name}-old")
    try:
        for entry in entries:
            _write_file(new / entry.name, entry.content)
        _write_file(new / MANIFEST, writer.content())
        with writing(path):
            if path.exists():
                path.rename(old)
            new.rename(path)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    sweep_beside(path)


def _write_file(path: Path, content: bytes) -> None:
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
