"""Folders of original files, in which nothing is opened that could wait or lead elsewhere."""

import os
from pathlib import Path
from typing import NoReturn

from harness.data.errors import DataError


def files_in(folder: Path) -> list[Path]:
    """Return the paths below a folder that are no folders, sorted; links to folders are not followed.

    They may be dangling links or special files. Raises `DataError` for a folder that cannot be read.
    """
    walk = os.walk(folder, onerror=_refuse)
    return sorted(Path(inner, name) for inner, _, names in walk for name in names)


def _refuse(error: OSError) -> NoReturn:
    raise DataError(f"cannot read {error.filename}: {error.strerror or error}")
