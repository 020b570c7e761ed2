"""One-line errors about data."""

from contextlib import AbstractContextManager
from pathlib import Path

from harness.errors import HarnessError
from harness.store import untrusted


class DataError(HarnessError):
    """A dataset is missing or has changed since it was prepared, or its original archive is invalid."""


def reading(what: str | Path) -> AbstractContextManager[None]:
    """Convert library errors about truncated, damaged or foreign files to a one-line `DataError`."""
    return untrusted.reading(what, DataError)


def damaged(what: str | Path, error: Exception) -> HarnessError:
    """Return the error for a file that a library failed to read."""
    return untrusted.damaged(what, error, DataError)
