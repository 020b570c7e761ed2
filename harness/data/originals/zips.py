"""Zip archives that originals come as: whatever is wrong with one is a `DataError`."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from harness.data.errors import DataError
from harness.store import zips
from harness.store.zips import MEMBER_LIMIT, Zip

__all__ = ["MEMBER_LIMIT", "Zip", "open_zip"]


def open_zip(source: Path | IO[bytes], where: str, limit: int) -> AbstractContextManager[Zip]:
    """Open a zip archive, also one inside another; `limit` is what all members may unpack to, in bytes.

    Raises `DataError` when it is damaged, claims too much, or has members that are links or lead out of it.
    """
    return zips.open_zip(source, where, limit, DataError)
