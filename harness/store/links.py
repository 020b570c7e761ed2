"""Refuses links inside a run directory: the harness makes none, and one may lead to anybody's files."""

import os
from pathlib import Path

from harness.store.files import StoreError


def refuse_links(folder: Path) -> None:
    """Raise `StoreError` if a folder or anything in it is a link; hidden files, such as locks of editors, may be.

    A link further up, such as `results` itself, is the user's own choice of a disk.
    """
    if folder.is_symlink():
        raise _refused(folder)
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place) / name
            if not name.startswith(".") and path.is_symlink():
                raise _refused(path)


def _refused(path: Path) -> StoreError:
    return StoreError(f"{path} is a link, which may lead anywhere: refused; delete the link")
