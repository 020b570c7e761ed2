"""The names that the harness gives to the files of a results directory.

Everything else in its folders is passed over: copies by synchronisers, backups by editors, notes by file managers.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from harness.store.files import StoreError

RUN = re.compile(r"[0-9a-f]{12}")
EVALUATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*-[0-9a-f]{8}")
ARRAY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.npy")
EVALUATION_RECORD = re.compile(rf"{EVALUATION.pattern}\.json")
CACHED_HASH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(?:npy|json|safetensors)\.sha256")


LARGEST_NUMBER = 10**12 - 1
"""The largest number of a numbered file; the harness counts up from 1 and never gets near it."""


def named(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    """Return the entries of a folder whose whole names match, sorted; none if there is no folder.

    Raises `StoreError` if the folder cannot be read.
    """
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if pattern.fullmatch(name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"cannot read {folder}: {error.strerror or error}") from None


def numbered(folder: Path, before: str = "", after: str = "", digits: int = 1) -> dict[int, Path]:
    """Return the entries of a folder called `before`, a number of at least so many digits, and `after`, by number.

    Raises `StoreError` if the folder cannot be read.
    """
    pattern = re.compile(f"{re.escape(before)}([0-9]{{{digits},12}}){re.escape(after)}")
    found = ((pattern.fullmatch(path.name), path) for path in named(folder, pattern))
    numbers = ((match[1], path) for match, path in found if match)
    return dict(sorted((int(text), path) for text, path in numbers if text == f"{int(text):0{digits}d}"))


def next_number(taken: Mapping[int, Path]) -> int:
    """Return the number after the largest one that is taken, 1 if there is none.

    Raises `StoreError`, naming the file to delete, if no file may have it.
    """
    last = max(taken, default=0)
    if last >= LARGEST_NUMBER:
        raise StoreError(f"{taken[last]} is none of the harness's files, and no number is left after it: delete it")
    return last + 1
