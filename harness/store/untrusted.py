"""Reading untrusted files: convert library errors to one line, and reject paths that escape an archive."""

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError


@contextmanager
def reading(what: str | Path, kind: type[HarnessError]) -> Iterator[None]:
    """Convert library errors for a truncated, damaged or wrongly formatted file to a one-line `kind` of error."""
    try:
        yield
    except HarnessError:
        raise
    except OSError as error:
        raise kind(f"cannot read {what}: {error.strerror or error}") from None
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
        raise damaged(what, error, kind) from None


def damaged(what: str | Path, error: Exception, kind: type[HarnessError]) -> HarnessError:
    """Return the error for a file that a library failed to read."""
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return kind(f"cannot read {what}: truncated or damaged ({reason})")


def check_name(name: str, where: Path | str, kind: type[HarnessError]) -> None:
    """Raise an error if the path of a member escapes its archive."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise kind(f"{where}: member {name!r} leads out of the archive: refused")
