"""Snapshots: the code of a submission in one archive, so that later edits do not affect queued jobs.

The archive comes first on the Python path of the jobs. It holds this package and every distribution that offers papers
or kinds, including helper packages, with the metadata for entry points: the working-tree state of files tracked by
git, or the files in RECORD. Sources are also compiled, since jobs would otherwise do so at every start. Equal code
gives equal bytes.
"""

import importlib.util
import marshal
import shutil
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import source_hash
from pathlib import Path, PurePosixPath
from typing import IO

from harness.config.base import canonical_json
from harness.errors import HarnessError
from harness.launch.slurm.manifest import Code
from harness.store.distributions import SNAPSHOT, Installed, offering
from harness.store.files import sha256_of, write_atomically
from harness.store.package_files import Source
from harness.store.provenance import git_state

EPOCH = (1980, 1, 1, 0, 0, 0)
MIB = 2**20
LIMIT = 200 * MIB
"""Maximum bytes of code. Larger packages contain data, which would be copied with every submission."""
UNCHECKED = (1).to_bytes(4, "little")
"""The .pyc flag for files that are not checked against their source (PEP 552)."""


def take(archive: Path) -> Code:
    """Write the archive and return its hash and commit.

    Raises `HarnessError` if the code exceeds `LIMIT`.
    """
    distributions = [found for found in offering() if found.files]
    _check_size(distributions)
    sources: dict[str, Source] = {name: file for found in distributions for name, file in found.files.items()}
    metadata = {name: text for found in distributions for name, text in _metadata(found)}
    write_atomically(archive, lambda file: _write(file, sources, metadata))
    commit, dirty = git_state()
    return Code(archive=str(archive), sha256=sha256_of(archive), commit=commit, dirty=dirty)


def _write(file: IO[bytes], sources: Mapping[str, Source], metadata: Mapping[str, str]) -> None:
    """Write the files, sorted by name."""
    with zipfile.ZipFile(file, "w") as target:
        for folder in _without_init(sources):
            target.writestr(zipfile.ZipInfo(f"{folder}/", EPOCH), b"")
        for name in sorted(sources.keys() | metadata.keys()):
            if name in metadata:
                target.writestr(_member(name), metadata[name])
                continue
            with sources[name].open("rb") as source, target.open(_member(name), "w") as member:
                shutil.copyfileobj(source, member)
            if name.endswith(".py") and (compiled := _compiled(name, sources[name].read_bytes())):
                target.writestr(_member(f"{name}c"), compiled)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _without_init(sources: Mapping[str, Source]) -> list[str]:
    """Return the folders of modules without `__init__`, which need directory entries to be importable from a zip."""
    folders = {folder for name in sources if name.endswith(".py") for folder in PurePosixPath(name).parents}
    return sorted(str(folder) for folder in folders if folder.name and f"{folder}/__init__.py" not in sources)


def _metadata(found: Installed) -> Iterator[tuple[str, str]]:
    """Yield the metadata files of a distribution, including `SNAPSHOT`."""
    folder = f"{found.name.replace('-', '_')}-{found.version}.dist-info"
    entry_points = found.metadata.read_text("entry_points.txt") if found.metadata is not None else None
    yield f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: {found.name}\nVersion: {found.version}\n"
    yield f"{folder}/entry_points.txt", entry_points or ""
    yield f"{folder}/RECORD", "".join(f"{name},,\n" for name in sorted(found.files))
    taken = {"commit": found.commit, "dirty": found.dirty, "taken": found.sha256}
    yield f"{folder}/{SNAPSHOT}", canonical_json(taken)


def _compiled(name: str, content: bytes) -> bytes:
    """Return the bytecode of a source file, b"" for invalid code; other Python versions use the source."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = marshal.dumps(compile(content, name, "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError):
        return b""
    return b"".join((importlib.util.MAGIC_NUMBER, UNCHECKED, source_hash(content), code))


def _check_size(distributions: Sequence[Installed]) -> None:
    """Raise `HarnessError` if the code is too large, naming the innermost folder with most of it."""
    folders = Counter[Path]()
    total = 0
    for found in distributions:
        for name, file in found.files.items():
            size = _size(file)
            total += size
            path = Path(str(file))
            folders.update(dict.fromkeys(list(path.parents)[: name.count("/")] or [path], size))
    if total <= LIMIT:
        return
    most = [folder for folder, size in folders.items() if 2 * size > total] or [folders.most_common(1)[0][0]]
    largest = max(most, key=lambda folder: len(folder.parts))
    raise HarnessError(
        f"the code of jobs comes to {total / MIB:,.0f} MiB, the limit is {LIMIT // MIB}: "
        f"{folders[largest] / MIB:,.0f} MiB are in {largest}; move data elsewhere, or stop tracking it with git"
    )


def _size(file: Source) -> int:
    return file.stat().st_size if isinstance(file, Path) else file.root.getinfo(file.at).file_size
