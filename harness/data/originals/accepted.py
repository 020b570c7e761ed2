"""Cache of accepted archives: a file is hashed again only if it has changed."""

from pathlib import Path

from harness.config.base import sha256_of_json
from harness.data.errors import reading
from harness.data.originals.archive import Check
from harness.data.prepared.blocks import Report
from harness.data.registry import Archive
from harness.store.files import StoreError, read_json, write_json


def remembering(check: Check, name: str, folder: Path) -> Check:
    """Return a cached version of `check`, identified by `name`, that does not hash files accepted before.

    A file is unchanged if its path, size, timestamps, inode and device are. The cache has one small file per archive in
    `folder`; damaged entries are ignored.
    """

    def remembered(archive: Archive, path: Path, report: Report) -> str:
        if path.is_dir():
            return check(archive, path, report)
        wanted = [name, archive.name, archive.size, archive.sha256, archive.md5, str(path.resolve())]
        note, before = folder / f"{sha256_of_json(wanted)[:16]}.json", _state(path)
        try:
            known = read_json(note)
            if known["file"] == before:
                return str(known["sha256"])
        except (FileNotFoundError, StoreError, LookupError, TypeError):
            pass
        sha256 = check(archive, path, report)
        if _state(path) == before:
            write_json(note, {"accepted": wanted, "file": before, "sha256": sha256})
        return sha256

    return remembered


def _state(path: Path) -> list[int]:
    """Return the stat fields that change when a file is written or replaced."""
    with reading(path):
        found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]
