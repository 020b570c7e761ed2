"""Files that are either whole or absent: written beside their place, flushed, and renamed into it."""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.errors import HarnessError


class StoreError(HarnessError):
    """The results directory cannot be read or written."""


class DamagedError(StoreError):
    """A file that does not hold what it should."""

    def __init__(self, path: Path, why: str) -> None:
        self.mend = f"{path}: {why}; delete this file and run again to make it anew"
        super().__init__(f"corrupted record {self.mend}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating-system error while `path` is written into one line that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or f"{error} (is the disk full?)"
        raise StoreError(f"cannot write {path}: {reason}; nothing was lost, run again") from None


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Create or replace `path` with what `write` puts into a binary file; a reader sees the old or the new one.

    Raises `StoreError` when the disk is full or the folder is read-only; the old file then stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Create or replace a file atomically."""
    write_atomically(path, lambda file: file.write(data))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document atomically, indented, keys in the given order."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=True) + "\n"
    write_bytes(path, text.encode())


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises `StoreError` when it cannot be read, and `FileNotFoundError` when it is absent.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises `StoreError` when the file is not JSON, naming the file to delete.
    """
    try:
        return json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise corrupted(path, str(error)) from None


def corrupted(path: Path, why: str) -> DamagedError:
    """Return the error for a file that does not hold what it should."""
    return DamagedError(path, " ".join(why.split())[:120])


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
