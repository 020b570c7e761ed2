"""Refuses links inside a run directory: the harness makes none, and one may lead to anybody's files."""

import os
from contextlib import suppress
from pathlib import Path

from harness.store.files import StoreError


def refuse_links(folder: Path) -> None:
    """Raise `StoreError` if a folder or anything in it is a link; hidden files, such as locks of editors, may be.

    A link further up, such as `results` itself, is the user's own choice of a disk.
    """
    if folder.is_symlink():
        raise _refused(folder)
    todo = [folder]
    while todo:
        # `os.scandir` knows links without a system call for each. A worker may delete folders meanwhile.
        with suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_symlink() and not entry.name.startswith("."):
                    raise _refused(Path(entry.path))
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))


def _refused(path: Path) -> StoreError:
    return StoreError(f"{path} is a link, which may lead anywhere: refused; delete the link")
