"""Snapshots: the code of a submission in one archive, so that later edits do not change queued jobs.

The archive stands first on the path of the jobs. It holds this package and every package that offers a paper, with the
entry points by which it is found. Sources are compiled too: jobs would do so at every start. The same code makes the
same bytes.
"""

import importlib.util
import io
import marshal
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution
from importlib.util import source_hash
from pathlib import Path

from harness.launch.slurm.manifest import Code
from harness.spec.config import canonical_json
from harness.spec.errors import HarnessError
from harness.spec.plugins import offers
from harness.store.files import sha256_of, write_bytes
from harness.store.provenance import SNAPSHOT, git_state

EPOCH = (1980, 1, 1, 0, 0, 0)
LEFT_OUT = {"__pycache__", ".git"}
COMPILED = {".pyc", ".pyo"}
UNCHECKED = (1).to_bytes(4, "little")
"""The flag of a compiled file that is not compared with its source (PEP 552)."""


def take(archive: Path) -> Code:
    """Write the archive and return what identifies it."""
    commit, dirty = git_state()
    files = dict(_files())
    files[f"harness/{SNAPSHOT}"] = canonical_json({"commit": commit, "dirty": dirty}).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in sorted(_with_compiled(files).items()):
            target.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    write_bytes(archive, buffer.getvalue())
    return Code(archive=str(archive), sha256=sha256_of(archive), commit=commit, dirty=dirty)


def _files() -> Iterator[tuple[str, bytes]]:
    offered = offers()
    for name in dict.fromkeys(["harness", *(offer.module.partition(".")[0] for offer in offered)]):
        yield from _module(name)
    for offer in offered:
        if isinstance(offer.dist, Distribution):
            yield from _metadata(offer.dist)


def _module(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a package, or the one file of a module, by their names in the archive."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        yield f"{name}.py", Path(str(spec.origin)).read_bytes()
        return
    for folder in map(Path, spec.submodule_search_locations):
        if not folder.is_dir():
            raise HarnessError(f"cannot take a snapshot of '{name}': {folder} is no folder")
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            if path.is_file() and path.suffix not in COMPILED and not LEFT_OUT & set(inner.parts):
                yield f"{name}/{inner.as_posix()}", path.read_bytes()


def _metadata(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    folder = f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"
    for name in ("METADATA", "entry_points.txt"):
        text = distribution.read_text(name)
        if text is not None:
            yield f"{folder}/{name}", text.encode()


def _with_compiled(files: dict[str, bytes]) -> dict[str, bytes]:
    """Add the compiled form of every source; Python falls back on the source where its version is another."""
    compiled = {}
    for name, content in files.items():
        if name.endswith(".py"):
            code = marshal.dumps(compile(content, name, "exec", dont_inherit=True))
            compiled[f"{name}c"] = b"".join((importlib.util.MAGIC_NUMBER, UNCHECKED, source_hash(content), code))
    return files | compiled
