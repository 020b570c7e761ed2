"""Temporary files, with names that tell the writer, so that the left-overs of killed processes can be removed.

The name is `.NAME.tmp-LEASE-PLACE-PID-TICKS-RANDOM`: the number of the writer's lease (0 without one), and its process
as in `ProcessIdentity`.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from harness.store.guard import lease_number
from harness.store.processes import Life, ProcessIdentity, life_of

LONGEST_NAME = 40
"""Characters of the file's own name, since names have at most 255 bytes."""
OLD_SECONDS = 3600.0
"""Age from which a temporary file of an unknown process counts as left over; writing refreshes it."""
NOWHERE = "0"
NAME = re.compile(r"\.tmp-(\d+)-([0-9a-f]+)-(\d+)-([0-9a-f]+)-[0-9a-f]{8}(-old)?$", re.ASCII)
EARLIER_NAME = re.compile(r"^\..+\.\d+-[0-9a-f]{8}$", re.ASCII)
"""The names that earlier versions gave."""


def temporary_beside(path: Path) -> Path:
    """Return a new name beside `path` for writing it."""
    process = ProcessIdentity.current()
    writer = f"{process.place or NOWHERE}-{process.pid}-{process.ticks or 0:x}"
    return path.with_name(f"{_prefix(path)}{lease_number(path)}-{writer}-{secrets.token_hex(4)}")


def sweep_beside(path: Path) -> None:
    """Remove what killed processes have left while they wrote `path`. Never raises."""
    prefixes = (_prefix(path), f".{path.name}.")
    for entry in _entries(path.parent):
        if entry.name.startswith(prefixes):
            _remove_if(_is_left, entry)


def sweep_folder(folder: Path, lease: int) -> None:
    """Remove all temporary files below a folder, except those of live processes without a lease. Never raises.

    The caller holds lease number `lease`, so that files written under a lower one have no owner.
    """

    def is_left(entry: "os.DirEntry[str]") -> bool:
        found = NAME.search(entry.name)
        under = int(found[1]) if found else 0
        return bool(EARLIER_NAME.match(entry.name)) or 0 < under < lease or (under == 0 and _is_left(entry))

    for entry in _entries(folder):
        if entry.name.startswith("."):
            _remove_if(is_left, entry)
        elif entry.is_dir(follow_symlinks=False):
            sweep_folder(Path(entry.path), lease)


def has_temporary(folder: Path) -> bool:
    """Return whether there are temporary files below a folder, of whatever process."""
    return any(NAME.search(name) or EARLIER_NAME.match(name) for _, _, names in os.walk(folder) for name in names)


def _prefix(path: Path) -> str:
    return f".{path.name[:LONGEST_NAME]}.tmp-"


def _is_left(entry: "os.DirEntry[str]") -> bool:
    """Return whether the writer is dead, or unknown and silent for an hour."""
    found = NAME.search(entry.name)
    if not found and not EARLIER_NAME.match(entry.name):
        return False
    if found and found[2] == ProcessIdentity.current().place:
        return life_of(int(found[3]), int(found[4], 16)) is Life.DEAD
    return abs(time.time() - entry.stat(follow_symlinks=False).st_mtime) > OLD_SECONDS


def _remove_if(is_left: "Callable[[os.DirEntry[str]], bool]", entry: "os.DirEntry[str]") -> None:
    with suppress(OSError):
        if is_left(entry):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _entries(folder: Path) -> "Iterator[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            yield from list(entries)
    except OSError:
        return
