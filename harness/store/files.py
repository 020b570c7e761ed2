"""Atomic file writes: write a temporary file next to the target, fsync, and rename."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.errors import HarnessError
from harness.regular_files import NotRegularError, append_regular, open_regular, read_regular
from harness.store.documents import parse_json
from harness.store.guard import check_owner
from harness.store.temporary import sweep_beside, temporary_beside

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Errors of folders that this user may not write."""

IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)
"""Errors of a folder where a file belongs, or of a file where a folder belongs."""


class StoreError(HarnessError):
    """The results directory cannot be read or written."""


class DamagedError(StoreError):
    """A file does not have the expected content."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        self.mend = f"{path}: {why}; delete this file and run again to recompute it"
        super().__init__(f"corrupted record {self.mend}")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert an `OSError` while writing `path` to a one-line `StoreError` that explains what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or f"{error} (is the disk full?)"
        mend = "choose a folder that you may write" if error.errno in FORBIDDEN else "run again"
        if error.errno in IN_THE_WAY or isinstance(error, NotRegularError):
            mend = "move away what stands in its place, then run again"
        raise StoreError(f"cannot write {path}: {reason}; nothing was lost, {mend}") from None


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Create or replace `path` with the binary content from `write`; readers see the old or the new file.

    Removes what killed processes have left while they wrote the same file. Raises `StoreError` if the disk is full or
    the folder is read-only, and `LostLease` if another worker has taken over; the old file is then unchanged.
    """
    check_owner(path)
    temporary = temporary_beside(path)
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            _replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    sweep_beside(path)


def _replace(temporary: Path, path: Path) -> None:
    """Rename a temporary file, unless this process has lost its lease."""
    check_owner(path)
    try:
        os.replace(temporary, path)
    except FileNotFoundError:  # a new owner has removed it since the check
        check_owner(path)
        raise


def remove(path: Path) -> None:
    """Delete a file if it exists.

    Raises `StoreError` if it cannot be deleted, and `LostLease` if another worker has taken over the folder.
    """
    with writing(path):
        check_owner(path)
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Delete a folder with its contents, as far as possible.

    Raises `LostLease` if another worker has taken over the folder.
    """
    check_owner(path)
    shutil.rmtree(path, ignore_errors=True)


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless they exist.

    Raises `StoreError` if they cannot be created, and `LostLease` if another worker has taken over the folder.
    """
    with writing(path):
        check_owner(path)
        path.mkdir(parents=True, exist_ok=True)


def append(path: Path, data: bytes) -> None:
    """Append to a file, creating it if necessary.

    Raises `StoreError` if the disk is full, and `LostLease` if another worker has taken over the folder.
    """
    with writing(path), append_regular(path) as file:
        check_owner(path)  # after opening: a new owner replaces the file, and this would change the replaced one
        file.write(data)


def write_bytes(path: Path, data: bytes) -> None:
    """Create or replace a file atomically."""
    write_atomically(path, lambda file: file.write(data))


def write_json(path: Path, value: Any) -> None:
    """Write an indented JSON document of finite numbers atomically, keeping the order of keys."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def read_bytes(path: Path) -> bytes:
    """Read a whole document, of at most `DOCUMENT_BYTES`.

    Raises `StoreError` if it cannot be read or is no document, and `FileNotFoundError` if it does not exist.
    """
    try:
        return read_regular(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise corrupted(path, "it is a link to a file that does not exist") from None
        raise
    except OSError as error:
        if error.errno in (errno.EFBIG, errno.EISDIR) or isinstance(error, NotRegularError):
            raise corrupted(path, str(error.strerror)) from None
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from None


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises `StoreError`, naming the file to delete, if it is not JSON.
    """
    return parsed_json(path, read_bytes(path))


def parsed_json(path: Path, content: bytes) -> Any:
    """Return the JSON document that was read from a file.

    Raises `StoreError`, naming the file to delete, if it is not JSON.
    """
    try:
        return parse_json(content)
    except ValueError as error:
        raise corrupted(path, str(error)) from None


def corrupted(path: Path, why: str) -> DamagedError:
    """Return the error for a file without the expected content."""
    return DamagedError(path, " ".join(why.split())[:120])


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file in hexadecimal."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
