"""Whether the code of a process is still the code on disk."""

import gc
import os
import sys
from collections.abc import Iterable

Stamp = tuple[int, int, int]
"""The time of the last change, the size and the inode of a file."""


class ImportedCode:
    """The stamps of the files that this process has imported, or may import later.

    `begun` is the time before the first import, in nanoseconds like `time.time_ns`: a file that has changed since then
    may have been imported before.
    """

    def __init__(self, begun: int) -> None:
        self._begun = begun
        self._stamps: dict[str, Stamp | None] = {}

    def note(self, files: Iterable[str]) -> None:
        """Remember these files, if they are new."""
        self._stamps |= {file: _stamp(file) for file in files if file not in self._stamps}

    def note_modules(self) -> None:
        """Remember the files of all modules; forks collect no garbage among these, which would copy their pages."""
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        self.note(file for file in files if file)
        gc.freeze()

    def has_changed(self) -> bool:
        """Return whether a file may differ from the one that was imported."""
        return any(
            _stamp(file) != before or (before is not None and before[0] > self._begun)
            for file, before in self._stamps.items()
        )


def _stamp(file: str) -> Stamp | None:
    """Return the stamp of a file, None for a module in a zip archive, which has none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
