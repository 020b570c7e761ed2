"""Zip archives of originals; every problem raises `DataError`."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from harness.data.errors import DataError
from harness.store import zips
from harness.store.zips import MEMBER_LIMIT, Zip

__all__ = ["MEMBER_LIMIT", "Zip", "open_zip"]


def open_zip(source: Path | IO[bytes], where: str, limit: int) -> AbstractContextManager[Zip]:
    """Open a zip archive, possibly nested; `limit` is the maximum unpacked size of all members in bytes.

    Raises `DataError` if it is damaged, exceeds the limit, or has members that are links or have paths outside of it.
    """
    return zips.open_zip(source, where, limit, DataError)
