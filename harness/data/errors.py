"""What goes wrong with data, in one line each."""

from contextlib import AbstractContextManager
from pathlib import Path

from harness.errors import HarnessError
from harness.store import untrusted


class DataError(HarnessError):
    """A dataset is absent, or not the one that was prepared, or its original is not what it should be."""


def reading(what: str | Path) -> AbstractContextManager[None]:
    """Turn what libraries raise over a file that is truncated, damaged or of another format into one line."""
    return untrusted.reading(what, DataError)


def damaged(what: str | Path, error: Exception) -> HarnessError:
    """Return the error for a file over which a library has failed."""
    return untrusted.damaged(what, error, DataError)
