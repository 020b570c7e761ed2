"""What goes wrong with data, in one line each."""

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.spec.errors import HarnessError


class DataError(HarnessError):
    """A dataset is absent, or not the one that was prepared, or its original is not what it should be."""


@contextmanager
def reading(what: str | Path) -> Iterator[None]:
    """Turn what libraries raise over a file that is truncated, damaged or of another format into one line."""
    try:
        yield
    except HarnessError:
        raise
    except OSError as error:
        raise DataError(f"cannot read {what}: {error.strerror or error}") from None
    except (
        EOFError,
        ValueError,
        LookupError,
        OverflowError,
        MemoryError,
        RuntimeError,
        struct.error,
        zlib.error,
        tarfile.TarError,
        zipfile.BadZipFile,
    ) as error:
        raise damaged(what, error) from None


def damaged(what: str | Path, error: Exception) -> DataError:
    """Return the error for a file over which a library has failed."""
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return DataError(f"cannot read {what}: truncated or damaged ({reason})")
