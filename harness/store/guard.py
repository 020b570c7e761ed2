"""Guards: a process that has lost its lease writes nothing more into the folder.

All writers of `store/files.py` check the guard of their folder immediately before a file changes. With the sweep of a
new owner, this keeps a late write of the old one from taking effect (docs/leases.md).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.exit_codes import ExitCode


class LostLease(HarnessError):
    """Another worker has taken over the folder."""

    exit_code = ExitCode.BUSY

    def __init__(self, folder: Path) -> None:
        super().__init__(f"another worker has taken over {folder}: this one stops and writes nothing more")


@dataclass(frozen=True)
class Guard:
    """The number of this process's lease on a folder, and whether it is still held."""

    number: int
    is_held: Callable[[], bool]


_guards: dict[Path, Guard] = {}


@contextmanager
def guarded(folder: Path, guard: Guard) -> Iterator[None]:
    """Within this context, refuse to write below a folder once the guard is no longer held."""
    place = _absolute(folder)
    _guards[place] = guard
    try:
        yield
    finally:
        del _guards[place]


def check_owner(path: Path) -> None:
    """Raise `LostLease` if this process has lost the lease of a folder that contains `path`."""
    for folder, guard in _guards_of(path):
        if not guard.is_held():
            raise LostLease(folder)


def lease_number(path: Path) -> int:
    """Return the number of the lease under which this process writes `path`, 0 if there is none."""
    return next((guard.number for _, guard in _guards_of(path)), 0)


def _guards_of(path: Path) -> list[tuple[Path, Guard]]:
    if not _guards:
        return []
    place = _absolute(path)
    return [(folder, _guards[folder]) for folder in (place, *place.parents) if folder in _guards]


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
